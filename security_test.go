package satchel

import (
	"bytes"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestSecurity_NamesTestsThatExist: a claim in SECURITY.md stands on the tests that
// it names, so renaming or dropping one has to be noticed.
func TestSecurity_NamesTestsThatExist(t *testing.T) {
	page, err := os.ReadFile("SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	exists := testsBelow(t, ".")
	named := regexp.MustCompile("`Test\\w+`").FindAllString(string(page), -1)
	if len(named) == 0 {
		t.Error("SECURITY.md names no test")
	}
	for _, quoted := range named {
		if name := strings.Trim(quoted, "`"); !exists[name] {
			t.Errorf("SECURITY.md names %s, which is not there", name)
		}
	}
}

// TestSecurity_HasEveryRequirement of the chapters that it is about.
func TestSecurity_HasEveryRequirement(t *testing.T) {
	page, err := os.ReadFile("SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, number := range strings.Fields(`7.1.1 7.1.2 7.1.3 7.2.1 7.2.2 7.2.3 7.2.4 7.3.1 7.3.2 7.4.1 7.4.2 7.4.3 7.4.4 7.4.5
		7.5.1 7.5.2 7.5.3 7.6.1 7.6.2 3.3.1 3.3.2 3.3.3 3.3.4 3.3.5`) {
		if n := bytes.Count(page, []byte("\n| "+number+" |")); n != 1 {
			t.Errorf("%s has %d rows, want 1", number, n)
		}
	}
}

// testsBelow returns the names of all tests of the repository, other modules included.
func testsBelow(t *testing.T, dir string) map[string]bool {
	t.Helper()
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	names := map[string]bool{}
	root := os.DirFS(dir)
	err := fs.WalkDir(root, ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := fs.ReadFile(root, path)
		for _, match := range declared.FindAllSubmatch(source, -1) {
			names[string(match[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
