/**
 * Which room may import which. A room stands in the line of its floor and may import from the floors below it, never from
 * those above; rooms that share a line may not import each other.
 */
const FLOORS = [
  { rooms: ['app/(root|timing|importOnDemand|makeFolder|domain|locales)'] },
  { rooms: ['db'] },
  { rooms: ['app/(config|dataDirFault|errors|log|context)'] },
  { rooms: ['app/http'] },
  { rooms: ['app/limits'] },
  { rooms: ['app/auth'] },
  { rooms: ['app/actions'] },
  { rooms: ['app/usage'] },
  { rooms: ['app/services', 'app/openapi', 'app/inputs'] },
  { rooms: ['app/api', 'app/admin'] },
  { rooms: ['app/routes', 'app/firstStart', 'app/housekeeping', 'app/waitForDatabase'] },
  { rooms: ['app/app'] },
  { rooms: ['app/server'] },
  { rooms: ['app/metricsServer'] },
  { rooms: ['app/serve'] },
  { rooms: ['app/main'] },
];

const within = (room) => `^${room}(/|\\.ts$)`;
const anyOf = (floors) => floors.flatMap(({ rooms }) => rooms.map(within));

const onlyDownwards = FLOORS.flatMap(({ rooms }, floor) =>
  rooms.map((room) => ({
    name: `only-downwards: ${room}`,
    comment: 'A room imports from the floors below its own; see docs/architecture.md, "Rooms and arrows".',
    severity: 'error',
    from: { path: within(room) },
    to: { path: anyOf(FLOORS.slice(floor)), pathNot: within(room) },
  })),
);

export default {
  forbidden: [
    ...onlyDownwards,
    {
      name: 'no-circles',
      comment: 'Two files that import each other, by types alone too, can only be read together: move what both need.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'every-file-in-a-room',
      comment: 'A new folder or file of app/ gets its floor in .dependency-cruiser.js.',
      severity: 'error',
      from: {},
      to: { path: '^app/', pathNot: anyOf(FLOORS) },
    },
    {
      name: 'product-code-stands-alone',
      comment: 'What runs in production needs no script and no test.',
      severity: 'error',
      from: { path: '^(app|db)/' },
      to: { path: '^(scripts|test)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js'] },
  },
};
