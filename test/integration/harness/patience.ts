/** Factor on every deadline of the tests: TURF_TEST_PATIENCE, for machines that are slower by that much, such as emulated ones. */
const FACTOR = Number(process.env['TURF_TEST_PATIENCE'] ?? '1');

/** A deadline in milliseconds, as long as this machine needs it. */
export const patience = (milliseconds: number): number => milliseconds * FACTOR;
