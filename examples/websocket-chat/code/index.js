/** Rooms in which everybody hears everybody. A room is in the memory of one worker: all who talk to each other are its clients. */
import page from './page.html' with { type: 'text' };

/** @type {Map<string, Set<WebSocket>>} */
const rooms = new Map();
const route = new URLPattern({ pathname: '/rooms/:room' });

/** @param {string} room @param {object} message */
function say(room, message) {
  const text = JSON.stringify(message);
  for (const socket of rooms.get(room) ?? []) socket.send(text);
}

/** @param {PairedWebSocket} socket @param {string} room @param {string} name */
function join(socket, room, name) {
  const members = rooms.get(room) ?? new Set();
  rooms.set(room, members.add(socket));
  socket.addEventListener('message', ({ data }) => {
    if (typeof data === 'string') say(room, { from: name, text: data });
    else socket.close(1003, 'text only');
  });
  socket.addEventListener('close', () => {
    members.delete(socket);
    if (members.size === 0) rooms.delete(room);
    say(room, { left: name, members: members.size });
  });
  socket.accept();
  say(room, { joined: name, members: members.size });
}

/** @type {ExportedHandler} */
export default {
  fetch(request) {
    const room = route.exec(request.url)?.pathname.groups['room'];
    if (room === undefined)
      return new Response(page, { headers: { 'content-type': 'text/html; charset=utf-8' } });
    if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket')
      return new Response('ask for a WebSocket\n', { status: 426, headers: { upgrade: 'websocket' } });
    const pair = new WebSocketPair();
    join(pair[1], room, new URL(request.url).searchParams.get('as') ?? 'somebody');
    return new Response(null, { status: 101, webSocket: pair[0] });
  },
};
