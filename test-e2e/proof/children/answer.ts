interface Order {
  readonly id: number;
  readonly task: string;
  readonly args: never;
}

/** Does the tasks that this process is sent, until it is killed. */
export function answerOrders(tasks: Readonly<Record<string, (args: never) => Promise<unknown>>>): void {
  process.on('message', async ({ id, task, args }: Order) => {
    try {
      process.send?.({ id, result: await tasks[task]?.(args) });
    } catch (error) {
      const { message, code } = error as Error & { readonly code?: string };
      process.send?.({ id, error: { message, code } });
    }
  });
}
