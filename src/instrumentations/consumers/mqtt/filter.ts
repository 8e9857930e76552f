/** Which subscription a message of MQTT belongs to. */

const SHARED = /^\$share\/[^/]+\//;

/**
 * @param filter as subscribed to, with `+`, `#` and `$share/<group>/`
 * @see MQTT 5.0, section 4.7 (topic names and filters)
 */
export function isSubscribedBy(filter: string, topic: string): boolean {
  const wanted = filter.replace(SHARED, '').split('/');
  const levels = topic.split('/');
  // wildcards at the beginning do not match topics of the broker itself
  if (topic.startsWith('$') && (wanted[0] === '#' || wanted[0] === '+')) return false;
  for (const [index, level] of wanted.entries()) {
    if (level === '#') return true;
    if (index >= levels.length) return false;
    if (level !== '+' && level !== levels[index]) return false;
  }
  return wanted.length === levels.length;
}
