// Two turns over one WebSocket, the second a delta of the first: `go run chain.go BASE_URL`. Prints what the model said.
package main

import (
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/gorilla/websocket"
)

type response struct {
	ID     string `json:"id"`
	Output []struct {
		Content []struct {
			Text string `json:"text"`
		} `json:"content"`
	} `json:"output"`
}

type event struct {
	Type     string   `json:"type"`
	Response response `json:"response"`
}

func turn(socket *websocket.Conn, input, previous string) response {
	create := map[string]any{"type": "response.create", "model": "any", "store": false, "input": input}
	if previous != "" {
		create["previous_response_id"] = previous
	}
	if err := socket.WriteJSON(create); err != nil {
		log.Fatal(err)
	}
	for {
		var got event
		if err := socket.ReadJSON(&got); err != nil {
			log.Fatal(err)
		}
		switch got.Type {
		case "response.completed":
			return got.Response
		case "error", "response.failed":
			log.Fatalf("%+v", got)
		}
	}
}

func main() {
	url := strings.Replace(os.Args[1], "http", "ws", 1) + "/responses"
	socket, _, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer socket.Close()
	first := turn(socket, "one", "")
	second := turn(socket, "two", first.ID)
	for _, each := range []response{first, second} {
		fmt.Println(each.Output[0].Content[0].Text)
	}
}
