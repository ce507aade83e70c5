/** Who may lean on whom; ARCHITECTURE.md has the table with the reasons. */
const never = (name, comment, from, to) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from, pathNot: '\\.spec\\.ts$' },
  to: { path: to },
});
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'domain-leans-on-nothing',
      comment: 'Rules only: no framework, no driver, no Node.',
      severity: 'error',
      from: { path: '^libs/domain/src', pathNot: '\\.spec\\.ts$' },
      to: { pathNot: '^libs/domain/src' },
    },
    never(
      'eventlog-knows-only-postgres',
      'The log is not the bus.',
      '^libs/eventlog',
      'node_modules/(nats|dockerode|@nestjs)|^apps|^libs/bus',
    ),
    never(
      'bus-knows-only-nats',
      'The bus is not the log.',
      '^libs/bus',
      'node_modules/(typeorm|pg|dockerode)/|^apps|^libs/eventlog',
    ),
    never(
      'nest-stays-in-its-room',
      'Nest enters the bus in nest/ only.',
      '^libs/bus/src/(?!nest/)',
      'node_modules/@nestjs',
    ),
    never('nodes-hold-no-database-key', 'ADR 0003.', '^apps/executor', 'node_modules/(typeorm|pg)/|^libs/eventlog'),
    never(
      'only-executors-touch-docker',
      'The control plane needs no Docker.',
      '^apps/(api|scheduler)',
      'node_modules/dockerode',
    ),
    never('apps-meet-on-the-bus-api', 'An app never imports another.', '^apps/api', '^apps/(scheduler|executor)'),
    never('apps-meet-on-the-bus-scheduler', 'An app never imports another.', '^apps/scheduler', '^apps/(api|executor)'),
    never('apps-meet-on-the-bus-executor', 'An app never imports another.', '^apps/executor', '^apps/(api|scheduler)'),
    never('nobody-imports-tests', 'Tests are imported by nobody.', '^(apps|libs)', '^(test|bench)/'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    exclude: { path: '^dist' },
  },
};
