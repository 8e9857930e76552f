/** Compresses chunks of text as they arrive, on a thread of libuv's pool and not on the application's. */

/**
 * The fastest level: 62 MB of a scrape become 2.4 MB in 75 ms of CPU time; level 6 makes 2.0 MB of them in 230 ms.
 * Sending the 60 MB that are saved takes as long over the loopback interface alone.
 */
const LEVEL = 1;
/** Size of an output chunk. */
const OUTPUT_BYTES = 64 * 1024;

/**
 * Compresses one chunk at a time, because the application uses the thread pool, too.
 * @param done called with each input chunk when it is not needed any more
 */
export async function gzipped(
  chunks: AsyncIterable<Buffer>,
  done: (chunk: Buffer) => void = () => undefined,
): Promise<Buffer[]> {
  // loaded at the first compressed scrape: it takes 3 ms
  const { createGzip }: typeof import('node:zlib') = require('node:zlib');
  const gzip = createGzip({ level: LEVEL, chunkSize: OUTPUT_BYTES });
  const compressed: Buffer[] = [];
  const whole = new Promise<void>((resolve, reject) => {
    gzip.on('data', (chunk: Buffer) => compressed.push(chunk));
    gzip.once('end', resolve);
    gzip.once('error', reject);
  });
  // it may reject before it is awaited
  whole.catch(() => undefined);
  try {
    for await (const chunk of chunks) {
      await new Promise<void>((resolve, reject) => {
        gzip.write(chunk, (error) => (error ? reject(error) : resolve()));
      });
      done(chunk);
    }
    gzip.end();
    await whole;
    return compressed;
  } finally {
    gzip.destroy();
  }
}
