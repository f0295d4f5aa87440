package studio_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"impasto/device"
	"impasto/studio"
)

// A program has a server of its own, and makes a picture by it.
func Example() {
	folder, err := os.MkdirTemp("", "studio-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	s, err := studio.New(studio.Options{Folder: folder, Device: device.CPU, Threads: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close(context.Background())
	server := httptest.NewServer(s) // or http.Serve, with a listener on 127.0.0.1
	defer server.Close()

	// The program's own pictures are there from the start; others are uploaded.
	var known struct {
		Pictures []struct{ ID, Name string }
	}
	get(server.URL+"/api/v1/pictures", &known)
	ids := map[string]string{}
	for _, p := range known.Pictures {
		ids[p.Name] = p.ID
	}
	body := fmt.Sprintf(`{"content": %q, "styles": [{"picture": %q}], "settings": {"size": 64, "min-size": 64, "first-iterations": 2}}`,
		ids["harbour.png"], ids["whirl.jpg"])
	answer, err := http.Post(server.URL+"/api/v1/runs", "application/json", strings.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	var run struct{ ID, Name, State, Error string }
	read(answer, &run)

	// Events say when it is there; here it is asked for now and then.
	for run.State != "finished" {
		if run.State == "failed" || run.State == "stopped" {
			log.Fatalf("the run is %s: %s", run.State, run.Error)
		}
		time.Sleep(50 * time.Millisecond)
		get(server.URL+"/api/v1/runs/"+run.ID, &run)
	}
	answer, err = http.Get(server.URL + "/api/v1/runs/" + run.ID + "/picture?format=png&depth=16&download=1")
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	fmt.Println(run.Name, answer.Header.Get("Content-Type"))
	// Output: harbour × whirl image/png
}

func get(url string, into any) {
	answer, err := http.Get(url)
	if err != nil {
		log.Fatal(err)
	}
	read(answer, into)
}

func read(answer *http.Response, into any) {
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil {
		log.Fatal(err)
	}
}
