// One live stream for all tabs of this browser: browsers allow few connections to one server, and a clerk has many tabs.
import { Stream } from "./stream.js";

const ports = new Set();
let stream = null;

self.addEventListener("connect", (event) => {
  const port = event.ports[0];
  port.addEventListener("message", ({ data }) => {
    if (data.leaving) ports.delete(port);
    else join(port, data);
  });
  port.start();
});

function join(port, { address, position }) {
  ports.add(port);
  if (stream) port.postMessage({ event: "open" }); // what it missed while it loaded is not known: it looks again
  else stream = new Stream(address, position, (news) => ports.forEach((each) => each.postMessage(news)));
}
