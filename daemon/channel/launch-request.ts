import { type LaunchRequest } from '../../cli/operations.js';
import { PayloadReader, PayloadWriter } from './payload.js';

/** Encodes the payload of an `L` frame (docs/protocol.md, "Launch request"); the descriptors travel beside it. */
export function encodeLaunchRequest(requestId: number, request: LaunchRequest): Buffer {
  return new PayloadWriter()
    .u32(requestId)
    .u64(BigInt(request.cloneFlags))
    .u32(request.flags)
    .u32(request.preserveFds)
    .i32(request.cgroupFd)
    .i32(request.userNsFd)
    .i32(request.pidNsFd)
    .i32(request.stdinFd)
    .i32(request.stdoutFd)
    .i32(request.stderrFd)
    .u32(request.fds.length)
    .finish();
}

export interface LaunchAnswer {
  readonly requestId: number;
  /** The pid, or -errno. */
  readonly result: number;
  /** Which step failed; empty on success. */
  readonly step: string;
}

/** Decodes a `P` frame. */
export function decodeLaunchAnswer(payload: Buffer): LaunchAnswer {
  const reader = new PayloadReader(payload);
  return { requestId: reader.u32(), result: reader.i32(), step: reader.str() };
}
