/**
 * The same as a decorator of methods. Compile it, with or without `experimentalDecorators`, and run what comes out:
 *
 *     npx tsc -p examples/functions
 *     SYSCODE=A123010101 node -r channel-exporter/register build/examples/functions/orders.js
 *
 * It prints `ready <port>`; PORT is the port to listen on, by default any free one.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitor } from 'channel-exporter';

class Orders {
  readonly #prices = new Map([
    ['tea', 3],
    ['cup', 4],
  ]);

  @monitor('orders.price')
  price(item: string): number {
    const price = this.#prices.get(item);
    if (price === undefined) throw new Error(`no ${item}`);
    return price;
  }

  @monitor('orders.total')
  async total(items: readonly string[]): Promise<number> {
    return items.reduce((sum, item) => sum + this.price(item), 0);
  }
}

const orders = new Orders();
const server = createServer(async (request, response) => {
  const items = new URL(request.url ?? '/', 'http://localhost').searchParams.getAll('item');
  try {
    response.end(JSON.stringify({ code: '0', total: await orders.total(items) }));
  } catch (error) {
    response.statusCode = 422;
    response.end(JSON.stringify({ code: '1404', message: String(error) }));
  }
});
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`ready ${(server.address() as AddressInfo).port}`);
});
