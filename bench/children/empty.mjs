// What Node.js takes by itself.
