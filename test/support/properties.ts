import fc from 'fast-check';

// A run of `npm test` tries the same values every time, so that its verdict is about the change; the long run tries new ones.
const SEED = 20_261_119;

if (!process.env.TEST_LONG) fc.configureGlobal({ seed: SEED });

export default fc;
