import type { DeviceRule } from './device-rules.js';

/* struct bpf_insn: u8 code, u8 dst:4 src:4, s16 off, s32 imm (linux/bpf.h) */
const LOAD_WORD = 0x61; // BPF_LDX | BPF_MEM | BPF_W
const MOVE = 0xb7; // BPF_ALU64 | BPF_MOV | BPF_K
const MOVE_REGISTER = 0xbf; // BPF_ALU64 | BPF_MOV | BPF_X
const AND = 0x57; // BPF_ALU64 | BPF_AND | BPF_K
const SHIFT_RIGHT = 0x77; // BPF_ALU64 | BPF_RSH | BPF_K
const JUMP = 0x05; // BPF_JMP | BPF_JA
const JUMP_IF_SET = 0x45; // BPF_JMP | BPF_JSET | BPF_K
const JUMP_UNLESS_EQUAL = 0x55; // BPF_JMP | BPF_JNE | BPF_K
const EXIT = 0x95;

const RESULT = 0;
const CONTEXT = 1;
const TYPE = 2;
/** Access bits that no rule has granted yet. */
const WANTED = 3;
const MAJOR = 4;
const MINOR = 5;

const DEVICE_TYPES = { b: 1, c: 2 } as const; // BPF_DEVCG_DEV_*
const ACCESS_BITS: Readonly<Record<string, number>> = { m: 1, r: 2, w: 4 }; // BPF_DEVCG_ACC_*
const ALL_ACCESS = 7;

type Instruction = readonly [code: number, dst: number, src: number, offset: number, immediate: number];

const answer = (allow: boolean): readonly Instruction[] => [
  [MOVE, RESULT, 0, 0, allow ? 1 : 0],
  [EXIT, 0, 0, 0, 0],
];

const accessMask = (access: string): number =>
  Object.entries(ACCESS_BITS).reduce(
    (mask, [letter, bit]) => (access.includes(letter) ? mask | bit : mask),
    0,
  );

/** The code of one rule; it falls through where the rule does not decide. */
function ruleCode(rule: DeviceRule): readonly Instruction[] {
  const mask = accessMask(rule.access);
  const decide: readonly Instruction[] = rule.allow
    ? [[AND, WANTED, 0, 0, ALL_ACCESS & ~mask], [JUMP_UNLESS_EQUAL, WANTED, 0, 2, 0], ...answer(true)]
    : [[JUMP_IF_SET, WANTED, 0, 1, mask], [JUMP, 0, 0, 2, 0], ...answer(false)];
  const checks: [register: number, value: number][] = [];
  if (rule.type !== 'a') checks.push([TYPE, DEVICE_TYPES[rule.type]]);
  if (rule.major !== undefined) checks.push([MAJOR, rule.major]);
  if (rule.minor !== undefined) checks.push([MINOR, rule.minor]);
  return [
    ...checks.map(([register, value], i): Instruction => {
      const toNextRule = checks.length - 1 - i + decide.length;
      return [JUMP_UNLESS_EQUAL, register, 0, toNextRule, value | 0];
    }),
    ...decide,
  ];
}

function encode(instructions: readonly Instruction[]): Buffer {
  const program = Buffer.alloc(instructions.length * 8);
  instructions.forEach(([code, dst, src, offset, immediate], i) => {
    program.writeUInt8(code, i * 8);
    program.writeUInt8(dst | (src << 4), i * 8 + 1);
    program.writeInt16LE(offset, i * 8 + 2);
    program.writeInt32LE(immediate, i * 8 + 4);
  });
  return program;
}

/**
 * Compiles a device policy to a program of type BPF_PROG_TYPE_CGROUP_DEVICE: rules from last to first, each taking its access bits
 * out of the request; the first that decides ends it. The `a` rule at the start of the policy is the default.
 *
 * @param policy as devicePolicy gives it
 * @returns array of struct bpf_insn
 */
export function deviceProgram(policy: readonly DeviceRule[]): Buffer {
  const [first, ...rest] = policy;
  return encode([
    /* struct bpf_cgroup_dev_ctx { u32 access << 16 | type; u32 major; u32 minor; } */
    [LOAD_WORD, TYPE, CONTEXT, 0, 0],
    [MOVE_REGISTER, WANTED, TYPE, 0, 0],
    [AND, TYPE, 0, 0, 0xffff],
    [SHIFT_RIGHT, WANTED, 0, 0, 16],
    [LOAD_WORD, MAJOR, CONTEXT, 4, 0],
    [LOAD_WORD, MINOR, CONTEXT, 8, 0],
    ...rest.toReversed().flatMap(ruleCode),
    ...answer(first?.allow === true && first.type === 'a'),
  ]);
}
