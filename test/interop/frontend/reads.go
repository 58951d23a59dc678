package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"

	gateway "github.com/moby/buildkit/frontend/gateway/client"
	fstypes "github.com/tonistiigi/fsutil/types"
)

// content prints short content as it is, long content by its digest.
func content(b []byte) string {
	if len(b) <= 80 {
		return fmt.Sprintf("%q", b)
	}
	return fmt.Sprintf("%d bytes, sha256 %x", len(b), sha256.Sum256(b))
}

// fileInfo leaves out the modification time.
func fileInfo(st *fstypes.Stat) string {
	size := fmt.Sprint(st.Size)
	if os.FileMode(st.Mode).IsDir() {
		// A folder's size depends on the file system.
		size = "-"
	}
	line := fmt.Sprintf("%s %s %d:%d size %s", st.Path, os.FileMode(st.Mode), st.Uid, st.Gid, size)
	if st.Linkname != "" {
		line += " -> " + st.Linkname
	}
	return line
}

func rangeOf(r *gateway.FileRange) string {
	if r == nil {
		return ""
	}
	return fmt.Sprintf(" [%d+%d]", r.Offset, r.Length)
}

func (s *section) readFile(ctx context.Context, ref gateway.Reference, req gateway.ReadRequest) {
	s.say("read %s%s", req.Filename, rangeOf(req.Range))
	dt, err := ref.ReadFile(ctx, req)
	s.gotContent(dt, err)
}

func (s *section) readDir(ctx context.Context, ref gateway.Reference, req gateway.ReadDirRequest) {
	s.say("list %s %q", req.Path, req.IncludePattern)
	entries, err := ref.ReadDir(ctx, req)
	s.gotEntries(entries, err)
}

func (s *section) stat(ctx context.Context, ref gateway.Reference, req gateway.StatRequest) {
	s.say("stat %s", req.Path)
	st, err := ref.StatFile(ctx, req)
	s.gotStat(st, err)
}

func (s *section) gotContent(dt []byte, err error) {
	if err != nil {
		s.failure(err)
		return
	}
	s.say("  %s", content(dt))
}

func (s *section) gotEntries(entries []*fstypes.Stat, err error) {
	if err != nil {
		s.failure(err)
		return
	}
	s.say("  %d entries", len(entries))
	for _, st := range entries {
		s.say("  %s", fileInfo(st))
	}
}

func (s *section) gotStat(st *fstypes.Stat, err error) {
	if err != nil {
		s.failure(err)
		return
	}
	s.say("  %s", fileInfo(st))
}
