import { bytes, plural } from '../text';
import { parseClock } from '../time';
import { isFile, type Field } from './fields';
import { accepts, isMedia, noun, type MediaValue } from './media';
import { number, type Size, type Value, type Values } from './values';

/** Faults by dotted name ("speakers.0.audio"), as the server names them too. */
export type Faults = Record<string, string>;

export function validate(fields: Field[], values: Values, prefix = ''): Faults {
  const faults: Faults = {};
  for (const field of fields) {
    const path = prefix + field.name;
    const value = values[field.name] ?? null;
    const fault = faultOf(field, value);
    if (fault) faults[path] = fault;
    else if (Array.isArray(value)) Object.assign(faults, itemFaults(field, value, path));
  }
  return faults;
}

function itemFaults(field: Field, items: (MediaValue | Values)[], path: string): Faults {
  const faults: Faults = {};
  items.forEach((item, index) => {
    if (!isMedia(item)) Object.assign(faults, validate(field.fields, item, `${path}.${index}.`));
    else {
      const fault = mediaFault(field, item);
      if (fault) faults[`${path}.${index}`] = fault;
    }
  });
  return faults;
}

function faultOf(field: Field, value: Value): string | null {
  if (field.kind === 'group' || field.kind === 'image_list') return countFault(field, value);
  if (isFile(field)) return isMedia(value) ? mediaFault(field, value) : missing(field);
  if (field.kind === 'resolution') return sizeFault(field, value as Size);
  const text = typeof value === 'string' ? value : '';
  if (value === null || value === '') return missing(field);
  switch (field.kind) {
    case 'integer':
    case 'number':
    case 'seed':
      return numberFault(field, number(text));
    case 'duration':
      return durationFault(field, parseClock(text));
    case 'string':
    case 'text':
      return textFault(field, text);
    default:
      return null;
  }
}

function missing(field: Field): string | null {
  if (!field.required || (field.default !== null && field.default !== '')) return null;
  return isFile(field) ? `Add ${noun(field)}.` : 'Fill this in.';
}

function countFault(field: Field, value: Value): string | null {
  const count = Array.isArray(value) ? value.length : 0;
  if (!count && !field.required) return null;
  if (count < field.minItems) return `Add at least ${plural(field.minItems, 'item')}.`;
  return count > field.maxItems ? `At most ${plural(field.maxItems, 'item')}.` : null;
}

function mediaFault(field: Field, media: MediaValue): string | null {
  if (media.state === 'uploading') return 'Still uploading.';
  if (media.state === 'failed') return media.problem;
  return fileFault(field, media.contentType, media.size);
}

/** What speaks against a file before a byte of it is sent. */
export function fileFault(field: Field, contentType: string, size: number | null): string | null {
  if (!accepts(field, contentType)) {
    return `This is ${contentType}; ${noun(field)} is needed here.`;
  }
  if (size === 0) return 'This file is empty.';
  if (field.maxBytes !== null && size !== null && size > field.maxBytes) {
    return `${bytes(size)} is too large; at most ${bytes(field.maxBytes)}.`;
  }
  return null;
}

function numberFault(field: Field, value: number | null): string | null {
  if (value === null || !Number.isFinite(value)) return 'A number is needed here.';
  const whole = field.kind !== 'number';
  if (whole && !Number.isInteger(value)) return 'A whole number is needed here.';
  if (whole && !Number.isSafeInteger(value)) return 'At most 9007199254740991.';
  return rangeFault(field, value, String) ?? stepFault(field, value);
}

function rangeFault(field: Field, value: number, show: (value: number) => string): string | null {
  const [low, high] = [field.min, field.max];
  if ((low === null || value >= low) && (high === null || value <= high)) return null;
  if (low !== null && high !== null) return `From ${show(low)} to ${show(high)}.`;
  return low !== null ? `At least ${show(low)}.` : `At most ${show(high ?? 0)}.`;
}

function stepFault(field: Field, value: number): string | null {
  if (!field.step || value === field.default) return null; // a default may stand off the steps
  const steps = value / field.step;
  if (Math.abs(steps - Math.round(steps)) < 1e-6) return null;
  const near = Number((Math.round(steps) * field.step).toPrecision(12));
  return `A multiple of ${field.step} is needed, such as ${near}.`;
}

function durationFault(field: Field, seconds: number | null): string | null {
  if (seconds === null) return 'Write minutes:seconds, such as 1:30, or seconds.';
  return rangeFault(field, seconds, (value) => `${value} s`);
}

function sizeFault(field: Field, size: Size): string | null {
  if (!size.width && !size.height) return missing(field);
  for (const side of ['width', 'height'] as const) {
    const fault = numberFault({ ...field, kind: 'integer' }, number(size[side]));
    if (fault) return `${side === 'width' ? 'Width' : 'Height'}: ${fault}`;
  }
  return null;
}

function textFault(field: Field, text: string): string | null {
  if (text.includes('\0')) return 'Remove the NUL character; it can’t be stored.';
  const limit = field.maxLength;
  if (limit === null || [...text].length <= limit) return null;
  return `${plural([...text].length, 'character')}; at most ${limit.toLocaleString('en')}.`;
}
