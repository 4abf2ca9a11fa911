// Stands in for native modules that msal-node-extensions loads and a plain file needs nothing of.
module.exports = {};
