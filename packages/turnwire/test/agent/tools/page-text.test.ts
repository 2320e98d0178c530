import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pageText } from '../../../dist/agent/tools/web/html/page-text.js';

type Format = Parameters<typeof pageText>[1]['format'];

const url = 'https://site.example/dir/page';

const read = (html: string, format: Format = 'text'): string => pageText(html, { format, url });

/** What a page says, as text and, where that differs, as Markdown. */
const pages: Readonly<Record<string, { html: string; text: string; markdown?: string }>> = {
  'words: blanks are one, and what is not read is left out': {
    html: '<head><title>no</title><style>no</style></head>\n a\t b<script>no</script><!-- no --> <svg><title>no</title>no</svg>c<template>no</template>',
    text: 'a b c',
  },
  'entities, named, by number and unknown': {
    html: '&lt;a&gt; &amp;amp; &eacute;&#65;&#x42; &hellip; &unknown; &copy 1&nbsp;2 AT&T',
    text: '<a> &amp; éAB … &unknown; © 1 2 AT&T',
    markdown: String.raw`\<a> &amp; éAB … &unknown; © 1 2 AT&T`,
  },
  'paragraphs, lines and headings': {
    html: '<h1>One</h1>intro<h2>Two <em>too</em></h2><p>a<br>b<div>c</div><p>d<hr>e',
    text: '# One\n\nintro\n\n## Two too\n\na\nb\nc\n\nd\n\n---\n\ne',
    markdown: '# One\n\nintro\n\n## Two *too*\n\na\nb\nc\n\nd\n\n---\n\ne',
  },
  'lists, nested and numbered': {
    html: '<ul><li>one<ul><li>in</li></ul></li><li><p>two</p><p>more</p></li></ul><ol start="9"><li>x<li>y</ol>',
    text: '- one\n  - in\n- two\n\n  more\n\n9. x\n10. y',
  },
  'links: those that lead elsewhere, from the page': {
    html: '<a href="/a">A</a> <a href="b?c=1&amp;d=2">B</a> <a href="#x">C</a> <a href="javascript:x()">D</a> <a href="https://e.example/(1)"> E </a>.',
    text: '[A](https://site.example/a) [B](https://site.example/dir/b?c=1&d=2) C D [E](https://e.example/%281%29) .',
  },
  'a link around a heading and a paragraph': {
    html: '<a href="/x"><h3>Title</h3><p>Text</p></a>',
    text: '### [Title](https://site.example/x)\n\nText',
  },
  'the address that links lead from': {
    html: '<base href="https://other.example/z/"><a href="q">Q</a>',
    text: '[Q](https://other.example/z/q)',
  },
  'a table': {
    html: '<table><caption>All</caption><thead><tr><th>Name</th><th>Price</th></tr></thead><tbody><tr><td>a<br>b</td><td>1|2</td></tr><tr><td>c<td>3</table>end',
    text: 'All\n\nName | Price\na b | 1|2\nc | 3\n\nend',
    markdown: 'All\n\n| Name | Price |\n| --- | --- |\n| a<br>b | 1\\|2 |\n| c | 3 |\n\nend',
  },
  'a table that arranges the page': {
    html: '<table><tr><td><h1>Left</h1>text<td><table><tr><td>n<td>m</table></table>',
    text: '# Left\n\ntext\n\nn | m',
    markdown: '# Left\n\ntext\n\n| n | m |\n| --- | --- |',
  },
  'code keeps its lines and blanks': {
    html: '<p>Call <code>a_b(*c)</code>:</p><pre><code class="x language-ts">if (a &lt; b) {\n  c();\n\n}\n</code></pre>end',
    text: 'Call a_b(*c):\n\nif (a < b) {\n  c();\n\n}\n\nend',
    markdown: 'Call `a_b(*c)`:\n\n```ts\nif (a < b) {\n  c();\n\n}\n```\n\nend',
  },
  'code in a list, and code with a fence in it': {
    html: '<ul><li>do<pre>a\n b</pre></li></ul><pre>```\nx\n```</pre>',
    text: '- do\n\n  a\n   b\n\n```\nx\n```',
    markdown: '- do\n\n  ```\n  a\n   b\n  ```\n\n````\n```\nx\n```\n````',
  },
  'code with numbered lines, in a table': {
    html: '<table><tr><td><pre>1\n2</pre></td><td><pre>a\nb</pre></td></tr></table>',
    text: '1\n2\n\na\nb',
    markdown: '```\n1\n2\n```\n\n```\na\nb\n```',
  },
  quotes: {
    html: '<blockquote><p>a</p><p>b</p></blockquote>c',
    text: '> a\n\n> b\n\nc',
  },
  definitions: { html: '<dl><dt>t<dd>d<dt>u<dd>e</dl>f', text: 't\n: d\nu\n: e\n\nf' },
  'marks of Markdown': {
    html: '<b>bold</b> <i>it</i> <del>gone</del> 1*2 snake_case _x_ <p>1. no<p># no<p>- no<p><img alt="pic" src="p.png">',
    text: 'bold it gone 1*2 snake_case _x_\n\n1. no\n\n# no\n\n- no\n\npic',
    markdown:
      String.raw`**bold** *it* ~~gone~~ 1\*2 snake_case \_x\_` +
      '\n\n1\\. no\n\n\\# no\n\n\\- no\n\n![pic](https://site.example/dir/p.png)',
  },
  'what is not closed': {
    html: '<ul><li><b>a<table><tr><td>x<td>y<pre>z',
    text: '- a\n\n  x\n\n  y\n\n  z',
    markdown: '- **a**\n\n  x\n\n  y\n\n  ```\n  z\n  ```',
  },
  'what was not opened': { html: '</td></table></li></ul></pre></a></b>a</blockquote></h1>b', text: 'a\n\nb' },
};

describe('the text of a page', () => {
  for (const [what, { html, text, markdown = text }] of Object.entries(pages)) {
    test(what, () => {
      assert.equal(read(html), text);
      assert.equal(read(html, 'markdown'), markdown);
    });
  }
});

/** Pages that make parsers slow. */
const hostile: Readonly<Record<string, string>> = {
  '<': '<',
  '&a': '&a',
  'links that are open': '<a href=/x>y',
  'boxes in boxes': '<div>',
  'formats in formats': '<b>x',
  'tags that close nothing': '<i></b>',
  comments: '<!--',
  scripts: '<script></script',
  'lists in lists': '<ul><li>x',
  'tables in tables': '<table><tr><td>x',
  rows: '<tr><td>x<td>y',
  'quotes in quotes': '<blockquote>x',
  'drawings in drawings': '<svg>',
  'ends of code': '<pre>`</pre>',
  headings: '<h1>x',
  attributes: '<a x="1" y',
};

describe('a page of 2 MiB', () => {
  for (const [what, part] of Object.entries(hostile)) {
    // Where time grew with the square of the length, this would take minutes.
    test(`${what}: is read in seconds`, { timeout: 60_000 }, () => {
      assert.ok(
        read('<table>'.concat(part.repeat(Math.ceil((2 * 1024 * 1024) / part.length))), 'markdown') !== undefined,
      );
    });
  }
});
