import { parseIncludeObject, partialObjectMetadataList, tableOf, type ColumnDefinition } from './table.js';

const columns: readonly ColumnDefinition[] = [
  { name: 'Name', type: 'string', format: 'name', description: 'The name.', priority: 0 },
];
const pod = { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'web', labels: { a: 'b' } }, spec: { containers: [] } };
const table = (include: 'Metadata' | 'Object' | 'None') =>
  tableOf([{ cells: ['web'], object: pod }], { version: 'v1', include, metadata: { resourceVersion: '7' }, columns });

describe('tableOf', () => {
  it('carries the metadata of each row, as kubectl needs for labels and namespaces', () => {
    expect(table('Metadata')).toEqual({
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { resourceVersion: '7' },
      columnDefinitions: columns,
      rows: [
        {
          cells: ['web'],
          object: {
            kind: 'PartialObjectMetadata',
            apiVersion: 'meta.k8s.io/v1',
            metadata: { name: 'web', labels: { a: 'b' } },
          },
        },
      ],
    });
  });

  it('carries the whole object, or nothing of it, when asked to', () => {
    expect(table('Object')['rows']).toEqual([{ cells: ['web'], object: pod }]);
    expect(table('None')['rows']).toEqual([{ cells: ['web'], object: null }]);
  });

  it('writes of columns only what belongs to the wire', () => {
    const own = columns.map((column) => ({ ...column, cell: () => 'x' }));
    expect(
      tableOf([], { version: 'v1beta1', include: 'None', metadata: {}, columns: own })['columnDefinitions'],
    ).toEqual(columns);
  });
});

it('lists objects without all but their metadata', () => {
  expect(partialObjectMetadataList([pod], { resourceVersion: '7' }, 'v1')).toMatchObject({
    kind: 'PartialObjectMetadataList',
    items: [{ kind: 'PartialObjectMetadata', metadata: { name: 'web', labels: { a: 'b' } } }],
  });
});

it('reads includeObject and refuses other words', () => {
  expect([undefined, '', 'Metadata', 'Object', 'None'].map(parseIncludeObject)).toEqual([
    'Metadata',
    'Metadata',
    'Metadata',
    'Object',
    'None',
  ]);
  expect(() => parseIncludeObject('All')).toThrow('unrecognized includeObject value: "All"');
});
