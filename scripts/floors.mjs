// The floor plan of src: which part may import which. The one place where it is written; docs/architecture.md is drawn
// from it, and test/floors.test.ts holds the sources to it.

/**
 * From the top down. A file imports from its own room and from the floors below, whether values or types; rooms of one
 * floor do not know each other. A room is a folder with all below it, but for the rooms inside that are named too, or
 * a single file.
 */
export const FLOORS = [
  { name: 'entry points', rooms: ['register.ts', 'src/index.ts', 'src/external.ts'] },
  { name: 'start', rooms: ['src/start.ts', 'src/spans/'] },
  { name: 'composition root, command', rooms: ['src/compose.ts', 'src/cli/'] },
  {
    name: 'parts',
    rooms: [
      'src/config/',
      'src/exporter/',
      'src/instrumentations/',
      'src/own-metrics/',
      'src/processes/',
      'src/runtime-metrics/',
    ],
  },
  {
    name: 'sources of measurements',
    rooms: ['consumers/', 'frameworks/', 'functions/', 'outbound/'].map((room) => `src/instrumentations/${room}`),
  },
  { name: 'requests answered', rooms: ['src/instrumentations/inbound/'] },
  {
    name: 'contract of a source, codes in bodies',
    rooms: ['src/instrumentations/instrumentation.ts', 'src/business-code/'],
  },
  { name: 'state of the process', rooms: ['src/shared-state.ts'] },
  { name: 'options', rooms: ['src/options.ts'] },
  {
    name: 'measurements, partners, callers, paths',
    rooms: ['src/metrics/', 'src/partners/', 'src/callers/', 'src/paths/'],
  },
  { name: 'catalogue, log, files', rooms: ['src/views/', 'src/diagnostics/', 'src/files/'] },
  {
    name: 'ground',
    rooms: [
      'src/errors.ts',
      'src/version.ts',
      'src/runtime/',
      'src/page/',
      'src/instrumentations/patching/',
      'src/instrumentations/request-target.ts',
    ],
  },
];

/** Rooms that show others one file alone. */
const DOORS = [{ from: 'src/instrumentations/frameworks/', to: 'src/instrumentations/inbound/', door: 'routes.ts' }];

const ROOMS = FLOORS.flatMap(({ rooms }) => rooms);

/** @returns the room of a file; undefined where the plan has none */
export function roomOf(file) {
  const holding = ROOMS.filter((room) => (room.endsWith('/') ? file.startsWith(room) : file === room));
  // the innermost
  return holding.sort((a, b) => b.length - a.length)[0];
}

/** The plan as rules of dependency-cruiser. */
export function floorRules() {
  const rules = [{ name: 'no circle', severity: 'error', from: {}, to: { circular: true } }];
  for (const [index, { rooms }] of FLOORS.entries()) {
    const below = FLOORS.slice(index + 1).flatMap((floor) => floor.rooms);
    for (const room of rooms) {
      rules.push({
        name: `${room} imports from the floors below`,
        severity: 'error',
        from: { path: patternOf(room) },
        to: { path: '^(src/|register\\.ts$)', pathNot: [room, ...below].map(patternOf) },
      });
    }
  }
  for (const { from, to, door } of DOORS) {
    rules.push({
      name: `${from} knows ${door} alone of ${to}`,
      severity: 'error',
      from: { path: patternOf(from) },
      to: { path: patternOf(to), pathNot: [patternOf(to + door)] },
    });
  }
  return rules;
}

/** The files of a room, and not those of the rooms inside it. */
function patternOf(room) {
  const inside = ROOMS.filter((other) => other !== room && room.endsWith('/') && other.startsWith(room));
  const others = inside.map((other) => `${escaped(other.slice(room.length))}${other.endsWith('/') ? '' : '$'}`);
  const end = room.endsWith('/') ? '' : '$';
  return `^${escaped(room)}${others.length > 0 ? `(?!${others.join('|')})` : ''}${end}`;
}

function escaped(text) {
  return text.replace(/[.\\/]/g, '\\$&');
}
