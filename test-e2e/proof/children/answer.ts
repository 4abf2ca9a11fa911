interface Order {
  readonly id: number;
  readonly task: string;
  readonly args: never;
}

type Tasks = Readonly<Record<string, (args: never) => Promise<unknown>>>;

/** Does the tasks that this process is sent, until it is killed, or whoever sent them is. */
export function answerOrders(tasks: Tasks): void {
  process.once('disconnect', () => process.exit());
  process.on('message', (order) => void answer(tasks, order as Order));
}

async function answer(tasks: Tasks, { id, task, args }: Order): Promise<void> {
  try {
    reply({ id, result: await tasks[task]?.(args) });
  } catch (error) {
    const { message, code } = error as Error & { readonly code?: string };
    reply({ id, error: { message, code } });
  }
}

/** A proof that has ended no longer listens. */
function reply(message: object): void {
  process.send?.(message, undefined, undefined, () => {});
}
