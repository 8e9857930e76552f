// PM2: two services on one host. pm2 start ecosystem.config.cjs
module.exports = {
  apps: [
    {
      name: 'orders',
      script: 'server.js',
      exec_mode: 'cluster',
      instances: 4,
      // in cluster mode NODE_OPTIONS does not reach the instances, and this does
      node_args: '-r channel-exporter/register',
      env: { SYSCODE: 'A123010101', CHANNEL_EXPORTER_PORT: '9166', PORT: '3000' },
    },
    {
      name: 'billing', // another service of the host: another port of the scrape
      script: 'billing.js',
      exec_mode: 'fork',
      node_args: '-r channel-exporter/register',
      env: { SYSCODE: 'A123010102', CHANNEL_EXPORTER_PORT: '9167', PORT: '3001' },
    },
  ],
};
