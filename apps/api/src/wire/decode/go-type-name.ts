import type { Shape } from '../schema/schema.js';

/** How Kubernetes' own server names a shape when a value of another type is sent: `[]v1.Container`, `map[string]string`. */
export function goTypeName(shape: Shape): string {
  switch (shape.is) {
    case 'list':
      return `[]${goTypeName(shape.of)}`;
    case 'map':
      return `map[string]${goTypeName(shape.of)}`;
    case 'type':
      return shape.type.split('.').slice(1).join('.');
    case 'scalar':
      return scalarNames[shape.scalar] ?? shape.scalar;
  }
}

const scalarNames: Readonly<Record<string, string>> = {
  boolean: 'bool',
  double: 'float64',
  bytes: '[]uint8',
  time: 'v1.Time',
  microtime: 'v1.MicroTime',
  quantity: 'resource.Quantity',
  intOrString: 'intstr.IntOrString',
};
