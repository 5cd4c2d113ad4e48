import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const onlyFfiModule = {
  group: ['koffi'],
  message: 'Only the typed modules in native-shim/ talk to koffi, so that the FFI library stays replaceable.',
};

/** Each folder may import only what docs/architecture.md says; the message is the reason. */
const boundary = (files, groups) => ({
  files,
  rules: {
    'no-restricted-imports': [
      'error',
      { patterns: [onlyFfiModule, ...groups.map(([group, message]) => ({ group, message }))] },
    ],
  },
});

export default tseslint.config(
  // What the compiler is to accept and to refuse is no code of ours.
  { ignores: ['**/dist/', 'node_modules/', '.tap/', 'test/fixtures/aworker/types/'] },
  js.configs.recommended,
  { files: ['**/*.ts'], extends: [...tseslint.configs.strictTypeChecked] },
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'ExportAllDeclaration',
          message: 'No barrels: import from the file that defines the thing.',
        },
      ],
    },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
  },
  {
    files: ['test/fixtures/aworker/web/**/*.js'],
    rules: { 'no-undef': 'off', 'no-prototype-builtins': 'off' },
  },
  // The globals of a worker: the compiler checks them, by aworker/types.
  { files: ['examples/**/*.js'], rules: { 'no-undef': 'off' } },
  // Web IDL: an operation that returns a promise rejects where another would throw.
  { files: ['aworker/web/**/*.ts'], rules: { '@typescript-eslint/require-await': 'off' } },
  // Ambient declarations have the shapes of what they declare; only `var` declares a property of the global object.
  {
    files: ['**/*.d.ts'],
    rules: {
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/triple-slash-reference': ['error', { path: 'always', types: 'never' }],
      'no-var': 'off',
    },
  },
  // This code takes methods off prototypes and puts others there.
  { files: ['aworker/**/*.ts'], rules: { '@typescript-eslint/unbound-method': 'off' } },
  boundary(
    ['oci-spec/**/*.ts'],
    [
      [
        ['**/daemon/**', '**/cli/**', '**/aworker/**', '**/native-shim/**'],
        'oci-spec/ imports nothing of ours.',
      ],
    ],
  ),
  boundary(
    ['cli/**/*.ts'],
    [
      [
        ['**/daemon/**', '**/aworker/**', '**/native-shim/**'],
        'cli/ knows the operations interface and oci-spec/, never the daemon.',
      ],
    ],
  ),
  boundary(
    ['aworker/**/*.ts'],
    [
      [
        ['**/daemon/**', '**/cli/**', '**/oci-spec/**'],
        'aworker/ is loaded into workers: it imports the typed FFI module only.',
      ],
    ],
  ),
  boundary(
    ['daemon/**/*.ts'],
    [
      [
        ['**/aworker/**', '**/bench/**', '**/test/**'],
        'daemon/ imports oci-spec/, cli/ and the typed FFI module.',
      ],
    ],
  ),
);
