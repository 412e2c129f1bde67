import { faultCode, isContention, isRefused } from '../../db/connection/faults.ts';

/** What is known of a fault outside the thread that met it. */
export interface ToldFault {
  code: string;
  /** Whether trying again is no use: the database refuses what was noted, or our own code cannot make sense of it. */
  hopeless: boolean;
  /** Whether only another transaction was in the way, which says nothing about the database's state. */
  contention: boolean;
}

/** Why uses could not be written. */
export class WriteFault extends Error implements ToldFault {
  readonly code: string;
  readonly hopeless: boolean;
  readonly contention: boolean;

  constructor({ code, hopeless, contention }: ToldFault) {
    super('uses of keys could not be written');
    this.code = code;
    this.hopeless = hopeless;
    this.contention = contention;
  }

  /** What can be sent to another thread. */
  get told(): ToldFault {
    const { code, hopeless, contention } = this;
    return { code, hopeless, contention };
  }

  /** What a fault means for the uses that were to be written. */
  static of(error: unknown): WriteFault {
    if (error instanceof WriteFault) return error;
    const ofOurCode = error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError;
    return new WriteFault({
      code: faultCode(error),
      hopeless: ofOurCode || isRefused(error),
      contention: isContention(error),
    });
  }
}
