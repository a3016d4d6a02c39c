import { describe, expect, it } from 'vitest';
import type { Schema } from '../src/lib/api/types';
import { fieldsOf, type Field } from '../src/lib/form/fields';
import { accepts, fromStored, type MediaValue } from '../src/lib/form/media';
import { validate } from '../src/lib/form/validate';
import { initialValues, shown, toInputs, type Values } from '../src/lib/form/values';

const FILE = { type: 'object' };
const schema: Schema = {
  required: ['image', 'speakers', 'width'],
  properties: {
    prompt: { title: 'Prompt', 'x-kind': 'text', 'x-order': 2, default: 'a person', maxLength: 20 },
    image: {
      ...FILE,
      'x-kind': 'image',
      'x-order': 1,
      'x-accepts': ['image/png'],
      'x-max-bytes': 1000,
    },
    width: { 'x-kind': 'integer', 'x-order': 3, minimum: 256, maximum: 1280, 'x-step': 32 },
    strength: {
      'x-kind': 'number',
      'x-order': 4,
      minimum: 0,
      maximum: 1,
      default: 0.87,
      'x-step': 0.01,
    },
    seed: { 'x-kind': 'seed', 'x-order': 5, minimum: 0, maximum: 2 ** 64, 'x-advanced': true },
    start: { 'x-kind': 'duration', 'x-order': 6, default: '0:00', minimum: 0 },
    mode: {
      'x-kind': 'select',
      'x-order': 7,
      default: 'b',
      'x-options': [
        { value: 'a', label: 'A' },
        { value: 'b', label: 'B' },
      ],
    },
    trim: { 'x-kind': 'boolean', 'x-order': 8, default: true },
    size: {
      'x-kind': 'resolution',
      'x-order': 9,
      properties: { width: { minimum: 64, maximum: 128 } },
    },
    images: { 'x-kind': 'image_list', 'x-order': 10, minItems: 0, maxItems: 2 },
    speakers: {
      'x-kind': 'group',
      'x-order': 11,
      minItems: 1,
      maxItems: 4,
      items: {
        required: ['audio'],
        properties: {
          audio: { ...FILE, 'x-kind': 'audio', 'x-accepts': ['audio/*'] },
          mask: { ...FILE, 'x-kind': 'mask' },
        },
      },
    },
  },
} as Schema;

const fields = fieldsOf(schema);
const stored = (key: string, contentType: string): MediaValue =>
  fromStored({ key, filename: key, content_type: contentType, size_bytes: 10 }, `/storage/${key}`);
const good = (): Values => ({
  ...initialValues(fields),
  image: stored('i', 'image/png'),
  width: '640',
  speakers: [{ audio: stored('a', 'audio/wav'), mask: null }],
});

describe('the model of a form', () => {
  it('follows the order and the hints', () => {
    expect(fields.map((field) => field.name).slice(0, 3)).toEqual(['image', 'prompt', 'width']);
    const [image, , width, , seed] = fields;
    expect(image).toMatchObject({ kind: 'image', required: true, maxBytes: 1000, label: 'Image' });
    expect(width).toMatchObject({ min: 256, max: 1280, step: 32 });
    expect(seed).toMatchObject({ advanced: true, min: 0, max: null });
    expect(fields.at(-1)?.fields.map((field) => field.name)).toEqual(['audio', 'mask']);
    expect(fields.find((field) => field.name === 'size')).toMatchObject({ min: 64, max: 128 });
  });

  it('starts with the defaults, and a required group with one item', () => {
    const values = initialValues(fields);
    expect(values).toMatchObject({
      prompt: 'a person',
      strength: '0.87',
      mode: 'b',
      trim: true,
      seed: '',
    });
    expect(values.speakers).toEqual([{ audio: null, mask: null }]);
    expect(values.images).toEqual([]);
  });

  it('gives typed inputs, without what was left empty', () => {
    expect(toInputs(fields, { ...good(), start: '1:30' })).toEqual({
      image: { key: 'i' },
      prompt: 'a person',
      width: 640,
      strength: 0.87,
      start: 90,
      mode: 'b',
      trim: true,
      speakers: [{ audio: { key: 'a' } }],
    });
  });

  it('carries any text as it is', () => {
    const prompt = '"\\ {{W}} $& True, <b>\n🎬';
    expect(toInputs(fields, { ...good(), prompt }).prompt).toBe(prompt);
  });

  it('shows stored values the way people type them', () => {
    const field = (name: string) => fields.find((one) => one.name === name) as Field;
    expect(shown(field('start'), 90.5)).toBe('1:30.5');
    expect(shown(field('width'), 640)).toBe('640');
    expect(shown(field('mode'), 'gone')).toBeNull();
    expect(shown(field('size'), { width: 64, height: 96 })).toEqual({ width: '64', height: '96' });
  });
});

describe('validation beside the field', () => {
  const faults = (changes: Values) => validate(fields, { ...good(), ...changes });

  it('lets a good form pass', () => expect(faults({})).toEqual({}));

  it.each<[string, Values, string]>([
    ['image', { image: null }, 'Add an image.'],
    ['image', { image: stored('i', 'audio/wav') }, 'This is audio/wav; an image is needed here.'],
    ['image', { image: { ...stored('i', 'image/png'), size: 0 } }, 'This file is empty.'],
    [
      'image',
      { image: { ...stored('i', 'image/png'), size: 5000 } },
      '5.0 KB is too large; at most 1.0 KB.',
    ],
    ['image', { image: { ...stored('i', 'image/png'), state: 'uploading' } }, 'Still uploading.'],
    ['width', { width: '' }, 'Fill this in.'],
    ['width', { width: 'wide' }, 'A number is needed here.'],
    ['width', { width: '640.5' }, 'A whole number is needed here.'],
    ['width', { width: '100' }, 'From 256 to 1280.'],
    ['width', { width: '650' }, 'A multiple of 32 is needed, such as 640.'],
    ['strength', { strength: '1.2' }, 'From 0 to 1.'],
    ['seed', { seed: '99999999999999999999' }, 'At most 9007199254740991.'],
    ['start', { start: 'noon' }, 'Write minutes:seconds, such as 1:30, or seconds.'],
    ['prompt', { prompt: 'x'.repeat(21) }, '21 characters; at most 20.'],
    ['prompt', { prompt: 'a\0b' }, 'Remove the NUL character; it can’t be stored.'],
    ['size', { size: { width: '64', height: '' } }, 'Height: A number is needed here.'],
    [
      'images',
      { images: ['1', '2', '3'].map((key) => stored(key, 'image/png')) },
      'At most 2 items.',
    ],
    ['speakers', { speakers: [] }, 'Add at least 1 item.'],
    ['speakers.0.audio', { speakers: [{ audio: null, mask: null }] }, 'Add an audio.'],
  ])('%s: %#', (path, changes, message) => expect(faults(changes)).toEqual({ [path]: message }));

  it('takes a default that stands off the steps', () => {
    const height = fields.map((field) =>
      field.name === 'width' ? { ...field, default: 360 } : field,
    );
    expect(validate(height, { ...good(), width: '360' })).toEqual({});
    expect(validate(height, { ...good(), width: '361' })).toHaveProperty('width');
  });

  it('counts a comma as decimal point, and 0.29 as a multiple of 0.01', () => {
    expect(faults({ strength: '0,29' })).toEqual({});
  });
});

describe('files', () => {
  const [image] = fields as [Field];
  it('fit by their content type', () => {
    expect(accepts(image, 'image/png')).toBe(true);
    expect(accepts(image, 'image/tiff')).toBe(false);
    expect(accepts({ ...image, accepts: ['image/*'] }, 'image/tiff')).toBe(true);
    expect(accepts({ ...image, kind: 'file', accepts: ['*/*'] }, 'application/zip')).toBe(true);
    expect(accepts({ ...image, kind: 'text' }, 'image/png')).toBe(false);
  });
});
