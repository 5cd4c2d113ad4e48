import t from 'tap';

import { parseJson } from '../../../oci-spec/json.js';

void t.test('reads what JSON.parse reads, the same way', (t) => {
  for (const text of [
    '{}',
    '[]',
    ' [1, -2.5e3 , 0, -0, true,false,null,"a\\n\\u00e9\\"\\\\\\/"]\r\n',
    '{"a":{"b":[{"c":"\u{1f600}"}]},"a2":[[],[[]]]}',
    '{"a":1,"a":2}',
    '"x"',
    '9007199254740991',
    '1e400',
    '"\\ud800"',
  ])
    t.strictSame(parseJson(text), JSON.parse(text), text);
  t.end();
});

void t.test('integers beyond 2^53 keep every digit', (t) => {
  t.equal(parseJson('18446744073709551615'), 18446744073709551615n);
  t.equal(parseJson('-9223372036854775808'), -9223372036854775808n);
  t.equal(parseJson('9007199254740992'), 9007199254740992n);
  t.end();
});

void t.test('a member named __proto__ is a member', (t) => {
  const value = parseJson('{"__proto__":{"polluted":true}}');
  t.strictSame(Object.entries(value ?? {}), [['__proto__', { polluted: true }]]);
  t.equal(Reflect.get(Object(value) as object, 'polluted'), undefined);
  t.end();
});

void t.test('a syntax error says line, column and what was found', (t) => {
  for (const [text, message] of [
    ['', '1:1: unexpected end of input'],
    ['{\n  "a": tru\n}', '2:8: unexpected "t"'],
    ['{"a":1,}', '1:8: expected a property name, found "}"'],
    ['{"a" 1}', '1:6: expected ":" after a property name, found "1"'],
    ['{"a":1 "b":2}', '1:8: expected "," or "}", found "\\""'],
    ['[1,]', '1:4: unexpected "]"'],
    ['[1 2]', '1:4: expected "," or "]", found "2"'],
    ['{a:1}', '1:2: expected a property name, found "a"'],
    ["['a']", '1:2: unexpected "\'"'],
    ['01', '1:2: unexpected "1" after the document'],
    ['1 // no', '1:3: unexpected "/" after the document'],
    ['NaN', '1:1: unexpected "N"'],
    ['"a', '1:3: unterminated string'],
    ['"a\nb"', '1:3: control character in a string'],
    ['"\\x"', '1:2: bad escape in a string'],
    ['"\\u12"', '1:2: bad \\u escape'],
    ['[', '1:2: unexpected end of input'],
    ['['.repeat(201), '1:201: nested deeper than 200 levels'],
  ] as const)
    t.throws(() => parseJson(text), { name: 'JsonSyntaxError', message }, message);
  t.end();
});

void t.test('what JSON.parse refuses is refused: every proper prefix of a document', (t) => {
  const text = '{"a":[1,true,null,"x\\n",{"b":-1.5e-3}],"c":{}}';
  for (let length = 0; length < text.length; length++)
    t.throws(() => parseJson(text.slice(0, length)), { name: 'JsonSyntaxError' }, `${length} characters`);
  t.end();
});
