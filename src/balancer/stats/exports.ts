import { COLUMNS, type Column } from './columns.ts';
import type { ProxyRows, Row } from './rows.ts';

/** `;csv`: a header that starts with `# `, then one line a row. Every line ends with a comma. */
export function renderCsv(proxies: readonly ProxyRows[]): string {
  const lines = [`# ${COLUMNS.map((column) => column.name).join(',')},`];
  for (const row of rowsOf(proxies)) lines.push(`${COLUMNS.map((column) => csvField(row.values[column.name])).join(',')},`);
  return `${lines.join('\n')}\n\n`;
}

/** RFC 4180: quotes where a comma, a quote or a line break would be misread. */
function csvField(value: string | number | undefined): string {
  if (value === undefined) return '';
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** `;json`: an array of rows, each an array of its fields that have a value, with their tags. */
export function renderJson(proxies: readonly ProxyRows[]): string {
  return JSON.stringify(rowsOf(proxies).map(jsonRow));
}

function jsonRow(row: Row): object[] {
  const fields: object[] = [];
  let position = 0;
  for (const column of COLUMNS) {
    // The separator of the CSV is no field, and takes no position.
    if (column.name === '-') continue;
    const value = row.values[column.name];
    if (value !== undefined) {
      fields.push({
        objType: row.kind,
        proxyId: row.proxyId,
        id: row.id,
        field: { pos: position, name: column.name },
        processNum: 1,
        tags: tagsOf(column, row),
        value: { type: column.type, value },
      });
    }
    position++;
  }
  return fields;
}

const SERVICE_COLUMNS: ReadonlySet<string> = new Set(
  'pxname svname iid sid type mode addr algo cookie check_rise check_fall check_health agent_rise agent_fall agent_health'.split(' '),
);

function tagsOf(column: Column, row: Row): object {
  const scope = SERVICE_COLUMNS.has(column.name) ? 'Service' : 'Process';
  if (row.kind === 'Server' && (column.name === 'act' || column.name === 'bck')) return { origin: 'Status', nature: 'Gauge', scope };
  if (row.kind === 'Backend' && (column.name === 'rate' || column.name === 'rate_max')) return { origin: 'Metric', nature: 'Gauge', scope };
  return { origin: column.origin, nature: column.nature, scope };
}

function rowsOf(proxies: readonly ProxyRows[]): Row[] {
  return proxies.flatMap((proxy) => [
    ...(proxy.frontend === null ? [] : [proxy.frontend]),
    ...proxy.servers.map(({ row }) => row),
    ...(proxy.backend === null ? [] : [proxy.backend]),
  ]);
}
