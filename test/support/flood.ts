/** Sends thousands of requests as fast as they are answered. */
import { once } from 'node:events';
import { connect } from 'node:net';

/** Requests written to a connection before their answers are awaited. */
const BATCH = 50;

/**
 * Sends requests on one connection, pipelined, and waits for all answers.
 * @param request makes the text of the next one; its answer has to end with `"}`, and hold that nowhere else
 */
export async function flood(port: number, count: number, request: () => string): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  for (let sent = 0; sent < count; sent += BATCH) {
    let answers = Math.min(BATCH, count - sent);
    const answered = new Promise<void>((resolve, reject) => {
      socket.removeAllListeners('data').on('data', (bytes: Buffer) => {
        // a status line may be cut in two: what ends an answer is its body
        answers -= bytes.toString('latin1').split('"}').length - 1;
        if (answers === 0) resolve();
      });
      socket.once('close', () => reject(new Error('the service has closed the connection')));
    });
    socket.write(Array.from({ length: answers }, request).join(''));
    await answered;
    socket.removeAllListeners('close');
  }
  socket.destroy();
}
