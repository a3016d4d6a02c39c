import type { Schema } from '../api/types';
import { words } from '../text';

export type FieldKind =
  | 'string'
  | 'text'
  | 'integer'
  | 'number'
  | 'boolean'
  | 'select'
  | 'seed'
  | 'image'
  | 'mask'
  | 'video'
  | 'audio'
  | 'file'
  | 'image_list'
  | 'resolution'
  | 'duration'
  | 'group';

export interface Option {
  value: string | number | boolean;
  label: string;
}

/** One input of a workflow as the form shows it. */
export interface Field {
  name: string;
  kind: FieldKind;
  label: string;
  help: string;
  required: boolean;
  default: unknown;
  min: number | null;
  max: number | null;
  step: number | null;
  maxLength: number | null;
  options: Option[];
  accepts: string[];
  maxBytes: number | null;
  advanced: boolean;
  section: string;
  order: number;
  minItems: number;
  maxItems: number;
  fields: Field[]; // of a group's items
}

const FILE_KINDS = ['image', 'mask', 'video', 'audio', 'file'];

export const isFile = (field: Field): boolean => FILE_KINDS.includes(field.kind);
export const isList = (field: Field): boolean =>
  field.kind === 'image_list' || field.kind === 'group';

/** The form behind a workflow's JSON Schema, in the order its `x-order` hints ask for. */
export function fieldsOf(schema: Schema): Field[] {
  const required = new Set(schema.required ?? []);
  const fields = Object.entries(schema.properties ?? {}).map(([name, property]) =>
    fieldOf(name, property, required.has(name)),
  );
  return fields
    .map((field, index) => ({ field, index }))
    .sort((a, b) => a.field.order - b.field.order || a.index - b.index)
    .map(({ field }) => field);
}

function fieldOf(name: string, schema: Schema, required: boolean): Field {
  const kind = text(schema['x-kind']) as FieldKind | '';
  const limits = kind === 'resolution' ? (schema.properties?.width ?? schema) : schema;
  return {
    name,
    kind: kind || 'string',
    label: schema.title || words(name),
    help: schema.description ?? '',
    required,
    default: schema.default ?? null,
    min: limit(limits.minimum),
    max: limit(limits.maximum),
    step: amount(schema['x-step']),
    maxLength: schema.maxLength ?? null,
    options: Array.isArray(schema['x-options']) ? schema['x-options'].map(option) : [],
    accepts: Array.isArray(schema['x-accepts']) ? schema['x-accepts'].map(String) : [],
    maxBytes: amount(schema['x-max-bytes']),
    advanced: schema['x-advanced'] === true,
    section: text(schema['x-group']),
    order: amount(schema['x-order']) ?? 0,
    minItems: schema.minItems ?? 0,
    maxItems: schema.maxItems ?? 1000,
    fields: kind === 'group' ? fieldsOf(schema.items ?? {}) : [],
  };
}

function option(raw: unknown): Option {
  const { value, label } = raw as Partial<Option>;
  return { value: value ?? String(raw), label: label ?? String(value ?? raw) };
}

/** A limit that no number of ours can reach is none. */
function limit(value: number | undefined): number | null {
  return value === undefined || Math.abs(value) > Number.MAX_SAFE_INTEGER ? null : value;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const amount = (value: unknown): number | null => (typeof value === 'number' ? value : null);
