package report

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"regexp"
	"strings"
	"testing"
)

// inlineParts are the policy of a page, its scripts and its style sheets.
func inlineParts(t *testing.T, text string) (policy string, scripts, styles []string) {
	t.Helper()
	found := regexp.MustCompile(`<meta http-equiv="Content-Security-Policy" content="([^"]*)">`).FindStringSubmatch(text)
	if found == nil {
		t.Fatal("the page has no policy")
	}
	for _, match := range regexp.MustCompile(`(?s)<script[^>]*>(.*?)</script>`).FindAllStringSubmatch(text, -1) {
		scripts = append(scripts, match[1])
	}
	for _, match := range regexp.MustCompile(`(?s)<style[^>]*>(.*?)</style>`).FindAllStringSubmatch(text, -1) {
		styles = append(styles, match[1])
	}
	return html.UnescapeString(found[1]), scripts, styles
}

func TestPolicyAllowsTheScriptAndTheStyleOfThePageAlone(t *testing.T) {
	for name, c := range map[string]Comparison{"by one setting": sample(), "by three": sampleGrid(), "with names that would run": hostile()} {
		text := pageOf(t, c)
		policy, scripts, styles := inlineParts(t, text)
		if len(scripts) != 1 || len(styles) != 1 {
			t.Fatalf("%s: %d scripts and %d styles, want one of each", name, len(scripts), len(styles))
		}
		for directive, content := range map[string]string{"script-src": scripts[0], "style-src": styles[0]} {
			digest := sha256.Sum256([]byte(content))
			want := directive + " 'sha256-" + base64.StdEncoding.EncodeToString(digest[:]) + "'"
			if !strings.Contains(policy+";", want+";") {
				t.Errorf("%s: the policy %q has no %q", name, policy, want)
			}
		}
		for _, want := range []string{"default-src 'none'", "base-uri 'none'", "form-action 'none'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: the policy has no %s", name, want)
			}
		}
		if strings.Contains(policy, "unsafe") {
			t.Errorf("%s: the policy is %q", name, policy)
		}
		if name == "with names that would run" {
			continue // which stand in attributes, escaped; see the browser's tests
		}
		if found := regexp.MustCompile(`<[^>]* (on[a-z]+|style)=[^>]*>`).FindString(strings.Replace(text, scripts[0], "", 1)); found != "" {
			t.Errorf("%s: the page has a handler or a style in a tag: %s", name, found)
		}
	}
}
