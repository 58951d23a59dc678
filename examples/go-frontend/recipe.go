package shipfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path"

	"github.com/distribution/reference"
)

// DefaultFilename is where a context's recipe is, unless the build's option
// "filename" names another file.
const DefaultFilename = "shipfile.json"

// Recipe says how an image is made, and what must hold before it ships.
type Recipe struct {
	// From is the image to start from, as docker pull takes it.
	From string `json:"from"`
	// Copy lists files of the context that go to /app.
	Copy []string `json:"copy"`
	// Run lists shell commands, run in /app one after the other.
	Run []string `json:"run"`
	// Version is a file that the commands leave: the image's version label.
	Version string `json:"version"`
	// Check is a shell command, run in a container of the finished image.
	Check string `json:"check"`
	// Entrypoint is the image's.
	Entrypoint []string `json:"entrypoint"`
}

// ParseRecipe reads a recipe, and takes no unknown words for it: a misspelt
// "check" would ship what nobody has checked.
func ParseRecipe(data []byte) (Recipe, error) {
	var r Recipe
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		return Recipe{}, err
	}
	if dec.More() {
		return Recipe{}, errors.New("there is more behind the recipe's end")
	}
	if r.From == "" {
		return Recipe{}, errors.New(`"from" is missing: it names the image to start from`)
	}
	from, err := reference.ParseNormalizedNamed(r.From)
	if err != nil {
		return Recipe{}, fmt.Errorf(`"from": %w: %q`, err, r.From)
	}
	// The daemon takes no name without a tag or digest.
	r.From = reference.TagNameOnly(from).String()
	if r.Version != "" && !path.IsAbs(r.Version) {
		return Recipe{}, fmt.Errorf(`"version" has to be an absolute path, and %q is not`, r.Version)
	}
	return r, nil
}
