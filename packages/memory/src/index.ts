export { MemoryTokenBackend } from './memory-token-backend.js';
