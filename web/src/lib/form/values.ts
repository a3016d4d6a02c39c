import { parseClock, clock } from '../time';
import { isFile, isList, type Field } from './fields';
import { isMedia, type MediaValue } from './media';

/** What the form holds: texts as typed, files as MediaValue, groups as lists of the same. */
export type Values = { [name: string]: Value };
export type Value = string | number | boolean | null | MediaValue | MediaValue[] | Values[] | Size;

export interface Size {
  width: string;
  height: string;
}

/** The values a form starts with. */
export function initialValues(fields: Field[]): Values {
  return Object.fromEntries(fields.map((field) => [field.name, initialValue(field)]));
}

function initialValue(field: Field): Value {
  if (field.kind === 'group') {
    return Array.from({ length: Math.max(1, field.minItems) }, () => initialValues(field.fields));
  }
  if (field.kind === 'image_list') return [];
  if (isFile(field)) return null;
  return shown(field, field.default);
}

/** A plain JSON value as the form shows it; used for defaults, memory and "use these inputs". */
export function shown(field: Field, value: unknown): Value {
  switch (field.kind) {
    case 'boolean':
      return value === true;
    case 'resolution': {
      const { width, height } = (value ?? {}) as { width?: unknown; height?: unknown };
      return { width: plain(width), height: plain(height) };
    }
    case 'duration':
      return typeof value === 'number' ? clockExact(value) : plain(value);
    case 'select':
      if (!field.options.length) return plain(value);
      return field.options.some((option) => option.value === value) ? (value as Value) : null;
    default:
      return plain(value);
  }
}

const plain = (value: unknown): string => (value == null ? '' : String(value));

function clockExact(seconds: number): string {
  const rest = Number((seconds % 1).toFixed(3));
  return clock(Math.floor(seconds)) + (rest ? String(rest).slice(1) : '');
}

/** The `inputs` of POST /api/jobs: typed, with what was left empty left out. */
export function toInputs(fields: Field[], values: Values): Record<string, unknown> {
  const entries = fields.map((field) => [field.name, toInput(field, values[field.name])] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function toInput(field: Field, value: Value | undefined): unknown {
  if (value === null || value === undefined || value === '') return undefined;
  if (isMedia(value)) return value.reference ?? undefined;
  if (isList(field) && Array.isArray(value)) {
    if (!value.length) return undefined;
    return value.map((item) => (isMedia(item) ? item.reference : toInputs(field.fields, item)));
  }
  switch (field.kind) {
    case 'integer':
    case 'number':
    case 'seed':
      return number(String(value)) ?? value;
    case 'duration':
      return parseClock(String(value)) ?? value;
    case 'resolution': {
      const { width, height } = value as Size;
      if (!width && !height) return undefined;
      return { width: number(width) ?? width, height: number(height) ?? height };
    }
    default:
      return value;
  }
}

/** A number as people type it, a comma for the decimals included; null when it is none. */
export function number(text: string): number | null {
  const tidy = text.trim().replace(',', '.');
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(tidy) ? Number(tidy) : null;
}
