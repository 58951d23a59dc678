// A FileDescriptorSet as protobuf JSON, the parts that say how bytes are laid out, and what of it a root reaches.
export interface FieldDescriptor {
  readonly name: string;
  readonly number: number;
  readonly label: 'LABEL_OPTIONAL' | 'LABEL_REQUIRED' | 'LABEL_REPEATED';
  readonly type: string;
  readonly typeName?: string;
  readonly oneofIndex?: number;
  readonly proto3Optional?: boolean;
}

export interface EnumDescriptor {
  readonly name: string;
  /** Zero is left out. */
  readonly value?: readonly { readonly name: string; readonly number?: number }[];
}

export interface MessageDescriptor {
  readonly name: string;
  readonly field?: readonly FieldDescriptor[];
  readonly nestedType?: readonly MessageDescriptor[];
  readonly enumType?: readonly EnumDescriptor[];
  readonly oneofDecl?: readonly { readonly name: string }[];
  readonly options?: { readonly mapEntry?: boolean };
}

export interface MethodDescriptor {
  readonly name: string;
  readonly inputType: string;
  readonly outputType: string;
  readonly clientStreaming?: boolean;
  readonly serverStreaming?: boolean;
}

export interface ServiceDescriptor {
  readonly name: string;
  readonly method?: readonly MethodDescriptor[];
}

interface FileDescriptor {
  readonly package?: string;
  readonly messageType?: readonly MessageDescriptor[];
  readonly enumType?: readonly EnumDescriptor[];
  readonly service?: readonly ServiceDescriptor[];
}

export interface DescriptorSet {
  readonly file: readonly FileDescriptor[];
}

/** Everything a descriptor set declares, by full name with a dot in front, as type names are written. */
export interface Declared {
  readonly messages: ReadonlyMap<string, MessageDescriptor>;
  readonly enums: ReadonlyMap<string, EnumDescriptor>;
  readonly services: ReadonlyMap<string, ServiceDescriptor>;
}

export function declared(set: DescriptorSet): Declared {
  const messages = new Map<string, MessageDescriptor>();
  const enums = new Map<string, EnumDescriptor>();
  const services = new Map<string, ServiceDescriptor>();
  const enter = (scope: string, message: MessageDescriptor): void => {
    const name = `${scope}.${message.name}`;
    messages.set(name, message);
    for (const nested of message.nestedType ?? []) enter(name, nested);
    for (const type of message.enumType ?? []) enums.set(`${name}.${type.name}`, type);
  };
  for (const file of set.file) {
    const scope = file.package === undefined ? '' : `.${file.package}`;
    for (const message of file.messageType ?? []) enter(scope, message);
    for (const type of file.enumType ?? []) enums.set(`${scope}.${type.name}`, type);
    for (const service of file.service ?? []) services.set(`${scope}.${service.name}`, service);
  }
  return { messages, enums, services };
}

/** The full names of all messages that the given ones hold in fields, themselves included. */
export function reachable(from: readonly string[], all: Declared): ReadonlySet<string> {
  const seen = new Set<string>();
  const todo = [...from];
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    for (const field of all.messages.get(name)?.field ?? []) {
      if (field.type === 'TYPE_MESSAGE' && field.typeName !== undefined) todo.push(field.typeName);
    }
  }
  return seen;
}
