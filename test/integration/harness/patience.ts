/** Factor on every deadline of the tests: TURF_TEST_PATIENCE; 3 leaves room for a busy machine, emulated ones need more. */
const FACTOR = Number(process.env['TURF_TEST_PATIENCE'] ?? '3');

/** A deadline in milliseconds, as long as this machine needs it. */
export const patience = (milliseconds: number): number => milliseconds * FACTOR;
