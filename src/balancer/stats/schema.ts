import { COLUMNS } from './columns.ts';

const integer = { type: 'integer', minimum: 0 };

const item = {
  type: 'object',
  properties: {
    objType: { enum: ['Frontend', 'Backend', 'Listener', 'Server'] },
    proxyId: integer,
    id: integer,
    field: {
      type: 'object',
      properties: { pos: integer, name: { enum: COLUMNS.map((column) => column.name).filter((name) => name !== '-') } },
      required: ['pos', 'name'],
    },
    processNum: { type: 'integer', minimum: 1 },
    tags: {
      type: 'object',
      properties: {
        origin: { enum: ['Metric', 'Status', 'Key', 'Config', 'Product'] },
        nature: { enum: ['Gauge', 'Limit', 'Min', 'Max', 'Rate', 'Counter', 'Duration', 'Age', 'Time', 'Name', 'Output', 'Avg'] },
        scope: { enum: ['Cluster', 'Process', 'Service', 'System'] },
      },
      required: ['origin', 'nature', 'scope'],
    },
    value: {
      type: 'object',
      properties: { type: { enum: ['s32', 's64', 'u32', 'u64', 'str'] }, value: { type: ['integer', 'string'] } },
      required: ['type', 'value'],
    },
  },
  required: ['objType', 'proxyId', 'id', 'field', 'processNum', 'tags', 'value'],
};

/** `;json-schema`: what `;json` looks like. (HAProxy's own schema says `typedValue` where its data say `value`.) */
export const SCHEMA = JSON.stringify({
  $schema: 'http://json-schema.org/draft-04/schema#',
  title: 'Stat',
  type: 'array',
  items: { type: 'array', items: item },
});
