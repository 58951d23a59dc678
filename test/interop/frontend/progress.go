package main

import (
	"fmt"
	"sort"

	"github.com/moby/buildkit/client"
	digest "github.com/opencontainers/go-digest"
)

// progress is what the status stream told, without times, without how often
// it told it, and without what only depends on the daemon's cache.
type progress struct {
	names    map[digest.Digest]string
	errors   map[digest.Digest]string
	logs     map[digest.Digest]map[int]string
	warnings []string
}

func watchProgress(status <-chan *client.SolveStatus) *progress {
	p := &progress{
		names:  map[digest.Digest]string{},
		errors: map[digest.Digest]string{},
		logs:   map[digest.Digest]map[int]string{},
	}
	for st := range status {
		for _, v := range st.Vertexes {
			p.names[v.Digest] = v.Name
			if v.Error != "" {
				p.errors[v.Digest] = v.Error
			}
		}
		for _, l := range st.Logs {
			if p.logs[l.Vertex] == nil {
				p.logs[l.Vertex] = map[int]string{}
			}
			p.logs[l.Vertex][l.Stream] += string(l.Data)
		}
		for _, w := range st.Warnings {
			p.warnings = append(p.warnings, fmt.Sprintf("warning level %d %q detail %q url %q file %q ranges %v",
				w.Level, w.Short, w.Detail, w.URL, w.SourceInfo.GetFilename(), spans(w.Range)))
		}
	}
	return p
}

func (p *progress) print(s *section) {
	var lines []string
	for dgst, name := range p.names {
		line := fmt.Sprintf("vertex %q", name)
		if e := p.errors[dgst]; e != "" {
			line += fmt.Sprintf(" error %q", e)
		}
		for _, stream := range []int{1, 2} {
			if text := p.logs[dgst][stream]; text != "" {
				line += fmt.Sprintf(" log %d %q", stream, text)
			}
		}
		lines = append(lines, line)
	}
	sort.Strings(lines)
	// Two vertices can share a name, and how many did can depend on the cache.
	for i, line := range lines {
		if i == 0 || lines[i-1] != line {
			s.say("%s", line)
		}
	}
	sort.Strings(p.warnings)
	for _, w := range p.warnings {
		s.say("%s", w)
	}
}
