/**
 * The global scope of a worker: what Aworker has, and nothing of Node.js or a document.
 * In tsconfig.json: `"lib": ["es2023"], "types": ["turf/aworker/types"]`; in one file: `/// <reference types="turf/aworker/types" />`.
 */
/// <reference path="./abort.d.ts" />
/// <reference path="./body.d.ts" />
/// <reference path="./caches.d.ts" />
/// <reference path="./console.d.ts" />
/// <reference path="./crypto.d.ts" />
/// <reference path="./encoding.d.ts" />
/// <reference path="./events.d.ts" />
/// <reference path="./fetch.d.ts" />
/// <reference path="./files.d.ts" />
/// <reference path="./messaging.d.ts" />
/// <reference path="./modules.d.ts" />
/// <reference path="./performance.d.ts" />
/// <reference path="./scope.d.ts" />
/// <reference path="./sockets.d.ts" />
/// <reference path="./streams.d.ts" />
/// <reference path="./url.d.ts" />
/// <reference path="./webassembly.d.ts" />
/// <reference path="./worker-events.d.ts" />
