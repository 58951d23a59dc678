package main

import (
	"fmt"
	"io"
	"regexp"
	"sort"
	"strings"
	"sync"
)

// transcript is what one run observed, in an order that does not depend on
// timing: sections stand where they were opened, and a concurrent group prints
// its members by name.
type transcript struct {
	mu       sync.Mutex
	sections []*section
	stable   []replacement
}

// section is one named step. Only one goroutine writes to a section.
type section struct {
	name  string
	lines []string
	tr    *transcript
}

type replacement struct{ from, to string }

// hide prints `to` wherever a transcript line holds `from`.
func (t *transcript) hide(from, to string) {
	if from == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stable = append(t.stable, replacement{from, to})
}

func (t *transcript) section(name string) *section {
	s := &section{name: name, tr: t}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sections = append(t.sections, s)
	return s
}

// together runs steps at the same time and lists them by name.
func (t *transcript) together(prefix string, steps map[string]func(*section) error) error {
	names := make([]string, 0, len(steps))
	for name := range steps {
		names = append(names, name)
	}
	sort.Strings(names)
	errs := make([]error, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		s := t.section(prefix + " " + name)
		wg.Add(1)
		go func() {
			defer wg.Done()
			errs[i] = steps[names[i]](s)
		}()
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return fmt.Errorf("%s %s: %w", prefix, names[i], err)
		}
	}
	return nil
}

func (s *section) say(format string, args ...any) {
	s.lines = append(s.lines, fmt.Sprintf(format, args...))
}

var (
	// identity.NewID of BuildKit: 25 characters in base 36.
	madeUpID = regexp.MustCompile(`\b[0-9a-z]{25}\b`)
	// Where the daemon mounted a reference to read it: even StatFile("/") names it.
	mountPoint = regexp.MustCompile(`(/[^ "]*/)?buildkit-mount[0-9]+`)
	// "no such ref" lists the references there are, in map order.
	allRefs = regexp.MustCompile(`all \[[^\]]*\]`)
)

func (t *transcript) writeTo(w io.Writer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	names := map[string]string{}
	for _, s := range t.sections {
		fmt.Fprintf(w, "== %s\n", s.name)
		for _, line := range s.lines {
			for _, r := range t.stable {
				line = strings.ReplaceAll(line, r.from, r.to)
			}
			line = mountPoint.ReplaceAllString(line, "buildkit-mount<n>")
			line = allRefs.ReplaceAllString(line, "all [<ids>]")
			line = madeUpID.ReplaceAllStringFunc(line, func(id string) string {
				if names[id] == "" {
					names[id] = fmt.Sprintf("<id %d>", len(names)+1)
				}
				return names[id]
			})
			fmt.Fprintln(w, line)
		}
	}
}
