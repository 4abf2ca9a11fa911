/** A process of the proofs. */
import { answerOrders } from './answer.ts';
import { createTasks } from './tasks.ts';

answerOrders(createTasks());
