/** The runtime's version: the package's, repeated here because a worker's root holds no package.json of ours. */
export const VERSION = '0.1.0';
