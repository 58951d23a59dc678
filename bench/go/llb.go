package main

// A small but genuine LLB definition: a local source and a chain of exec ops, each input named by the digest of
// the op before it, so that a replayer has the same work to do as with a real frontend's Solve.

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// newID makes an id of BuildKit's shape, [0-9a-z]{25}.
func newID() string {
	const letters = "0123456789abcdefghijklmnopqrstuvwxyz"
	var random [25]byte
	rand.Read(random[:])
	for i, value := range random {
		random[i] = letters[int(value)%len(letters)]
	}
	return string(random[:])
}

func mapEntry(key, value string) []byte { return appendString(appendString(nil, 1, key), 2, value) }

func input(digest string) []byte { return appendString(nil, 1, digest) }

func digest(op []byte) string {
	sum := sha256.Sum256(op)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// encodeSolve is a SolveRequest whose definition has a source, execs steps and the final, bodiless op. number
// makes it unlike any other, session and unique are the values that a client makes up for each run.
func encodeSolve(number, execs int, session, unique string) []byte {
	var definition []byte
	add := func(op []byte) string {
		definition = appendBytes(definition, 1, op)
		return digest(op)
	}

	source := appendString(nil, 1, "local://context")
	source = appendBytes(source, 2, mapEntry("local.session", session))
	source = appendBytes(source, 2, mapEntry("local.sharedkeyhint", "context"))
	source = appendBytes(source, 2, mapEntry("local.unique", unique))
	previous := add(appendBytes(nil, 3, source))

	for step := range execs {
		meta := appendString(nil, 1, "/bin/sh")
		meta = appendString(meta, 1, "-c")
		meta = appendString(meta, 1, fmt.Sprintf("make -C /src package-%d step-%d", number, step))
		meta = appendString(meta, 2, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
		meta = appendString(meta, 3, "/src")
		exec := appendBytes(nil, 1, meta)
		exec = appendBytes(exec, 2, appendString(nil, 3, "/"))
		op := appendBytes(nil, 1, input(previous))
		// The oneof last, as BuildKit writes it from v0.17 on.
		previous = add(appendBytes(op, 2, exec))
	}
	add(appendBytes(nil, 1, input(previous)))

	request := appendBytes(nil, 1, definition)
	request = appendNumber(request, 5, 1)
	return appendNumber(request, 6, 1)
}
