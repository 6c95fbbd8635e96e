// A broadcast server on Socket.IO, as its documentation shows: WebSocket only, without compression, no pings meanwhile.
import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer();
const io = new Server(http, { transports: ["websocket"], serveClient: false, pingInterval: 3_600_000 });

io.on("connection", (socket) => {
  socket.on("listen", (/** @type {string} */ room, /** @type {() => void} */ joined) => {
    socket.join(room);
    joined();
  });
  socket.on("note", (/** @type {string} */ room, /** @type {unknown} */ note) => {
    io.to(room).emit("note", note);
  });
});

http.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => {
  const { port } = /** @type {import("node:net").AddressInfo} */ (http.address());
  console.log(port);
});
process.on("SIGTERM", () => process.exit(0));
