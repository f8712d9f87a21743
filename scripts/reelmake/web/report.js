// A timestamp moves the video on this page instead of leaving it.
const video = document.querySelector("video");
document.addEventListener("click", event => {
  const link = event.target.closest("a[href]");
  if (!video || !link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const [file, moment] = link.href.split("#t=");
  if (file !== video.src || !moment) return;
  event.preventDefault();
  video.currentTime = Number(moment);
  video.play().catch(() => {});  // a browser that won't play it shows the moment all the same
});
video?.addEventListener("play", () => video.classList.add("playing"));
video?.addEventListener("pause", () => video.classList.remove("playing"));
video?.addEventListener("error", () => { video.hidden = true; });
