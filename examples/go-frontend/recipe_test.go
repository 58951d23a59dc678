package shipfile_test

import (
	"strings"
	"testing"

	"example.com/shipfile"
)

func TestParseRecipeTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, recipe, want string }{
		{"no image", `{"run": ["true"]}`, `"from" is missing`},
		{"no image's name", `{"from": "A B"}`, `invalid reference format`},
		{"a relative version", `{"from": "a", "version": "version"}`, `"version" has to be an absolute path`},
		{"no list", `{"from": "a", "run": "true"}`, "cannot unmarshal string"},
		{"two recipes", `{"from": "a"} {}`, "more behind the recipe's end"},
		{"nothing", ``, "EOF"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, err := shipfile.ParseRecipe([]byte(test.recipe)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q in it", err, test.want)
			}
		})
	}
}
