# A service that has channel-exporter from the image of ./Dockerfile, and not among its own dependencies.
#
#   docker build -f app.Dockerfile -t orders .
#   docker run --read-only --env SYSCODE=A123010101 --publish 3000:3000 --publish 9166:9166 orders

FROM node:22-slim
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev
COPY . .
COPY --from=registry.example.com/channel-exporter:0.1.0 /channel-exporter /opt/channel-exporter
# after npm ci, which has no use for it; as a file, because /app does not depend on the package
ENV NODE_OPTIONS="--require /opt/channel-exporter/node_modules/channel-exporter/dist/register.js"
USER node
EXPOSE 3000 9166
# node itself: npm in its place would hold back SIGTERM from the application
CMD ["node", "server.js"]
