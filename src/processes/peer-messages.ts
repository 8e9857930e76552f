/** Logs what was not accepted of a peer, or not at once; once a minute for each reason. */
import { warn } from '../diagnostics/log';
import type { DropReason } from '../metrics/totals';

const TEXTS: Readonly<Record<DropReason, string>> = {
  connections: 'connections were closed that sent no hello, or came beyond those that may wait for theirs',
  malformed: 'a message is malformed, and its sender was disconnected',
  family: 'series belong to a family that this process does not have',
  labels: 'series have other labels than their family has in this process',
  boundaries: 'series have other bucket boundaries than this process',
  series: 'their family has twice its limit of series, or all families of the application together have too many',
  clash: 'the name of their family belongs to another instrument, or to channel-exporter',
};

export function logDropped(reason: DropReason): void {
  const text = `not everything that other processes sent to this one, the hub, was accepted: ${TEXTS[reason]}`;
  warn(
    'CHX_DELTAS_DROPPED',
    reason,
    `${text}. It is counted in channel_exporter_dropped_deltas_total{reason="${reason}"}`,
  );
}

/** @param counted whether this process has the scrape that counts it */
export function logPaused(peer: string, counted: boolean): void {
  const text = `${peer} sends more than 8 MB or 1,000 messages a second to this process, and is read no faster than that`;
  const where = counted ? '. It is counted in channel_exporter_read_pauses_total' : '';
  warn('CHX_PEER_PAUSED', 'peer', text + where);
}
