;; The 32-bit FNV-1a hash of the first bytes of the memory. Built with: wat2wasm checksum.wat -o code/checksum.wasm
(module
  (memory (export "memory") 1)
  (func (export "fnv1a") (param $length i32) (result i32)
    (local $at i32)
    (local $hash i32)
    (local.set $hash (i32.const 0x811c9dc5))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $length)))
        (local.set $hash
          (i32.mul
            (i32.xor (local.get $hash) (i32.load8_u (local.get $at)))
            (i32.const 0x01000193)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (local.get $hash)))
