"""What every screen shares: tokens and components, base templates and parts, words and formats.

A leaf: it imports none of the other packages and no web framework. How to build a page: `docs/ui.md`.

- `catalog`: words in es, en, fr, ar from `words/{locale}/{area}.po`
- `formats`: instants, dates and waits as people read them
- `pages`: Jinja environments, one per language; `templates/base` and `templates/macros`
- `assets`: addresses, types and caching of `static/`
- `headers`: the response headers that the pages are written for
- `gallery`: every part on one page, to look at: `python -m ui.gallery --out DIR`
"""
