// Turns proto/ into src/bridge/schema.generated.ts: a table of messages, enums and services with every type name
// resolved, so that nothing has to parse .proto text, or load a protobuf library, when bridgetape starts.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = join(root, 'src', 'bridge', 'schema.generated.ts');

const protos = new protobuf.Root();
protos.resolvePath = (_origin, path) => (path.startsWith(root) || protobuf.common.get(path) ? path : join(root, 'proto', path));
protos.loadSync(
  readdirSync(join(root, 'proto'), { recursive: true })
    .filter((path) => path.endsWith('.proto'))
    .sort()
    .map((path) => join(root, 'proto', path)),
  { keepCase: true },
);
protos.resolveAll();

const nameOf = (object) => object.fullName.slice(1);
const typeOf = (field) => {
  if (field.resolvedType) return nameOf(field.resolvedType);
  return field.type;
};

const messages = {};
const enums = {};
const services = {};

function visit(object) {
  if (object instanceof protobuf.Type) {
    messages[nameOf(object)] = [...object.fieldsArray]
      .sort((one, other) => one.id - other.id)
      .map((field) => {
        const row = [field.id, field.name, typeOf(field), field.map ? 'map' : field.repeated ? 'repeated' : 'one'];
        if (field.map) row.push(field.keyType);
        else if (field.partOf) row.push(field.partOf.name);
        return row;
      });
  } else if (object instanceof protobuf.Enum) {
    enums[nameOf(object)] = Object.entries(object.values);
  } else if (object instanceof protobuf.Service) {
    services[nameOf(object)] = object.methodsArray.map((method) => [
      method.name,
      nameOf(method.resolvedRequestType),
      nameOf(method.resolvedResponseType),
      method.requestStream === true,
      method.responseStream === true,
    ]);
  }
  for (const child of object.nestedArray ?? []) visit(child);
}
visit(protos);

const table = (rows) =>
  `{\n${Object.entries(rows)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, entries]) => `    ${JSON.stringify(name)}: ${JSON.stringify(entries)},\n`)
    .join('')}  }`;

const text = `// Made from proto/ by scripts/bundle-schema.mjs. Don't edit.
import type { SchemaTable } from './schema-table.js';

export const schemaTable = (): SchemaTable => ({
  messages: ${table(messages)},
  enums: ${table(enums)},
  services: ${table(services)},
});
`;

let current;
try {
  current = readFileSync(target, 'utf8');
} catch {
  // Not there yet.
}
if (current !== text) writeFileSync(target, text);
