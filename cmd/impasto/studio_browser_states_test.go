package main

import (
	"strings"
	"testing"
)

func TestStudioBrowserSaysWhyARunFailed(t *testing.T) {
	s := startStudio(t, "--memory", "1MiB")
	tab := s.visit(390, 844)
	tab.Evaluate(`(fetch("api/v1/pictures").then((r) => r.json()).then(({pictures}) => {
		const id = (name) => pictures.find((p) => p.name === name).id;
		return fetch("api/v1/runs", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({content: id("harbour.png"), styles: [{picture: id("whirl.jpg")}]})});
	}), 1)`)
	tab.Wait(`document.querySelector(".run")`)
	tab.ClickText(".tabs", "History")
	tab.Click(".run")
	tab.Wait(shownState + ` === "failed"`)
	if got := tab.Evaluate(`document.querySelector(".trouble p").textContent`).(string); !strings.Contains(got, "choose a smaller size") || !strings.HasSuffix(got, ".") {
		t.Errorf("it says %q", got)
	}
	if got := tab.Evaluate(`[document.querySelector(".ghost").checkVisibility(), document.querySelector(".of-run .under").checkVisibility()].join()`); got != "true,false" {
		t.Errorf("seen are the photo and a bar without actions: %v", got)
	}
	tab.ClickText(".trouble", "Change settings")
	tab.Wait(`document.activeElement.matches("[data-setting=size-choice]") && document.activeElement.checkVisibility()`)
	tab.ClickText(".tabs", "Picture")
	tab.ClickText(".trouble", "Try again")
	tab.Wait(`document.querySelectorAll(".runs [data-state=failed]").length === 2`)
	tab.Quiet()
}
