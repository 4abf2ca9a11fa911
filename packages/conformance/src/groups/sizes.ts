import assert from 'node:assert/strict';
import { RecordTooLargeError } from '@tokenry/core/backend';
import { group, needs } from '../group.js';
import { readText, writeText } from '../record-text.js';
import { rejectsWith } from '../rejections.js';
import { roomFor, sizeLimit, unreachability } from '../requirement.js';
import type { Scene } from '../scene.js';

const TYPICAL = 7_000;
const LARGE = 400_000;

export const sizes = group('sizes', {
  'a record of 7 KB reads back': needs([roomFor(TYPICAL)], (scene) => readsBack(scene, TYPICAL)),

  'a record of 400 KB reads back': needs([roomFor(LARGE)], (scene) => readsBack(scene, LARGE)),

  'a large record that shrinks and grows reads back each time': needs([roomFor(TYPICAL)], async (scene) => {
    const backend = await scene.open();
    for (const size of [TYPICAL, 20, TYPICAL - 1, 2_000, TYPICAL]) {
      await writeText(backend, 'ada', jsonOf(size));
      assert.equal(await readText(backend, 'ada'), jsonOf(size));
    }
  }),

  'a record above maxRecordBytes is refused and writes nothing': needs([sizeLimit], async (scene) => {
    const backend = await scene.open();
    await writeText(backend, 'ada', '{"a":1}');
    const error = await rejectsWith(RecordTooLargeError, 'the write', () => writeText(backend, 'ada', tooLarge(scene)));
    assert.ok(RecordTooLargeError.is(error));
    assert.equal(error.maxRecordBytes, scene.capabilities.maxRecordBytes);
    assert.equal(await readText(backend, 'ada'), '{"a":1}');
  }),

  'a record above maxRecordBytes is refused before anything is sent': needs([sizeLimit, unreachability], async (scene) => {
    const backend = await scene.open();
    await backend.records.read('ada');
    const write = () => writeText(backend, 'ada', tooLarge(scene));
    await scene.during('unreachable', () => rejectsWith(RecordTooLargeError, 'the write', write));
  }),
});

async function readsBack(scene: Scene, size: number): Promise<void> {
  const [writer, reader] = await scene.pair('shared');
  await writeText(writer, 'ada', jsonOf(size));
  assert.equal(await readText(reader, 'ada'), jsonOf(size));
}

/** JSON of exactly `size` bytes in which every stretch is different, so that a missing or repeated piece shows. */
function jsonOf(size: number): string {
  let filler = '';
  for (let n = 0; filler.length < size; n++) filler += `${n.toString(36)}.`;
  const wrapping = '{"filler":""}'.length;
  return `{"filler":"${filler.slice(0, size - wrapping)}"}`;
}

const tooLarge = (scene: Scene): string => jsonOf((scene.capabilities.maxRecordBytes ?? 0) + 1);
