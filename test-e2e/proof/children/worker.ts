/** A process of the proofs: does the tasks that it is sent, until it is killed. */
import { createTasks, type TaskName } from './tasks.ts';

interface Order {
  readonly id: number;
  readonly task: TaskName;
  readonly args: never;
}

const tasks = createTasks();
process.on('message', async ({ id, task, args }: Order) => {
  try {
    process.send?.({ id, result: await tasks[task](args) });
  } catch (error) {
    const { message, code } = error as Error & { readonly code?: string };
    process.send?.({ id, error: { message, code } });
  }
});
