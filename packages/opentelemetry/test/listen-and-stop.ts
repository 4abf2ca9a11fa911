import { channel } from 'node:diagnostics_channel';
import { channels } from '@tokenry/core';
import { instrument } from '@tokenry/opentelemetry';

/** A program of its own, because test runs have listeners of theirs. Prints how many channels had any. */
const listenedTo = () => Object.keys(channels).filter((name) => channel(`tokenry:${name}`).hasSubscribers).length;

const before = listenedTo();
const instrumentation = instrument();
const during = listenedTo();
instrumentation.disable();
instrumentation.disable();
process.stdout.write(JSON.stringify([before, during, listenedTo()]));
