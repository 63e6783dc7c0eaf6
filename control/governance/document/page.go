// Package document writes what a framework version offers, for people: the
// service description and the controls as they were written, with the
// environments, gateways, policies, plans and contacts that are live, so that
// it cannot go stale.
//
// [Live] reads what is there, [Make] puts it into a [Page], and a page writes
// itself as Markdown or as one self-contained page of HTML. Whatever somebody
// typed is text in both: nothing of it is markup.
package document

import (
	"strconv"
	"strings"
)

// A Page is a document as a list of blocks.
type Page struct {
	Title  string
	blocks []block
}

// A block is one of heading, paragraphs, list, facts and table.
type block interface {
	markdown(*strings.Builder)
	html(*strings.Builder)
}

type (
	heading struct {
		level int // 2 or 3; 1 is the page's title
		text  string
		id    string
	}
	paragraphs struct{ text string }
	list       struct {
		items   []string
		ordered bool
	}
	// facts are names with their values; a value without text is left out.
	facts []fact
	fact  struct{ name, value string }
	table struct {
		caption string
		heads   []string
		rows    [][]string
		more    int // rows that are left out
	}
)

// maxRows bounds a table, so that a document stays one that people read.
const maxRows = 500

func (p *Page) add(b block) { p.blocks = append(p.blocks, b) }

func (p *Page) section(text string) {
	p.add(heading{2, text, p.id(text)})
}

func (p *Page) part(text string) { p.add(heading{3, text, p.id(text)}) }

// id is a heading's anchor, another one for each heading.
func (p *Page) id(text string) string {
	base := strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, text), "-")
	if base == "" {
		base = "part"
	}
	id := base
	for n := 2; p.has(id); n++ {
		id = base + "-" + strconv.Itoa(n)
	}
	return id
}

func (p *Page) has(id string) bool {
	for _, b := range p.blocks {
		if h, ok := b.(heading); ok && h.id == id {
			return true
		}
	}
	return false
}

// say adds text in paragraphs, unless there is none.
func (p *Page) say(text string) {
	if strings.TrimSpace(text) != "" {
		p.add(paragraphs{text})
	}
}

// answer adds a part with its text, unless there is none.
func (p *Page) answer(title, text string) {
	if strings.TrimSpace(text) != "" {
		p.part(title)
		p.say(text)
	}
}

func (p *Page) items(ordered bool, items []string) {
	if len(items) > 0 {
		p.add(list{items, ordered})
	}
}

func (p *Page) facts(all ...fact) {
	var kept facts
	for _, f := range all {
		if f.value != "" {
			kept = append(kept, f)
		}
	}
	if len(kept) > 0 {
		p.add(kept)
	}
}

// table adds a table, unless it has no rows; columns that are empty in every
// row are left out.
func (p *Page) table(t table) {
	if len(t.rows) == 0 {
		return
	}
	if over := len(t.rows) - maxRows; over > 0 {
		t.rows, t.more = t.rows[:maxRows], t.more+over
	}
	for c := len(t.heads) - 1; c >= 0; c-- {
		empty := true
		for _, r := range t.rows {
			empty = empty && r[c] == ""
		}
		if !empty {
			continue
		}
		t.heads = append(t.heads[:c:c], t.heads[c+1:]...)
		for i, r := range t.rows {
			t.rows[i] = append(r[:c:c], r[c+1:]...)
		}
	}
	p.add(t)
}

// split is text in paragraphs of lines.
func split(text string) (all [][]string) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	for part := range strings.SplitSeq(text, "\n\n") {
		var lines []string
		for line := range strings.SplitSeq(part, "\n") {
			if line = strings.TrimSpace(line); line != "" {
				lines = append(lines, line)
			}
		}
		if len(lines) > 0 {
			all = append(all, lines)
		}
	}
	return all
}
